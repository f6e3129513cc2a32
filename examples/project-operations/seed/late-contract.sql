-- The contract that INV-00202 refers to arrives in Dataverse (finance has known it since its own take-over).
INSERT INTO salesorders (salesorderid, ordernumber, name, msdyn_owningcompany, customerid, customeridtype, transactioncurrencyid, totalamount)
VALUES ('0d000000-0000-4000-8000-00000000000d', 'CON-0013', 'Contract 13', 'c0000000-0000-4000-8000-000000000001',
  'ac000000-0000-4000-8000-00000000000d', 'accounts', 'cc000000-0000-4000-8000-000000000001', '1000000.0000');
