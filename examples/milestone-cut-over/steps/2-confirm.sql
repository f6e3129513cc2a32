-- In Dataverse, while the maps are stopped: a proforma invoice of both ready milestones, and its confirmation.
BEGIN;

INSERT INTO invoices (invoiceid, invoicenumber, msdyn_owningcompany, salesorderid, transactioncurrencyid, msdyn_invoicedate) VALUES
  ('1e000000-0000-4000-8000-000000000001', 'INV-OLD', 'c0000000-0000-4000-8000-000000000001', '0d000000-0000-4000-8000-000000000001',
   'cc000000-0000-4000-8000-000000000001', '2025-12-31');

INSERT INTO invoicedetails (invoicedetailid, invoiceid, invoicedetailname, msdyn_transactionclassification, transactioncurrencyid,
  extendedamount) VALUES
  ('1d000000-0000-4000-8000-000000000001', '1e000000-0000-4000-8000-000000000001', 'Design approved', 192350003,
   'cc000000-0000-4000-8000-000000000001', '50000.0000'),
  ('1d000000-0000-4000-8000-000000000002', '1e000000-0000-4000-8000-000000000001', 'Piers built', 192350003,
   'cc000000-0000-4000-8000-000000000001', '120000.0000');

UPDATE invoices SET msdyn_projectinvoicestatus = 192350002 WHERE invoicenumber = 'INV-OLD';
UPDATE msdyn_contractlinescheduleofvalues SET msdyn_invoicestatus = 192350003 WHERE msdyn_invoicestatus = 192350001;

COMMIT;
