-- In Dataverse, after the cut-over: a new milestone, and its proforma invoice, confirmed.
BEGIN;

INSERT INTO msdyn_contractlinescheduleofvalues (msdyn_contractlinescheduleofvalueid, msdyn_contract, msdyn_contractlineid,
  msdyn_name, msdyn_amount, transactioncurrencyid, msdyn_invoicedate, msdyn_invoicestatus) VALUES
  ('7d000000-0000-4000-8000-000000000004', '0d000000-0000-4000-8000-000000000001', '2d000000-0000-4000-8000-000000000001',
   'Opened', '200000.0000', 'cc000000-0000-4000-8000-000000000001', '2026-03-31', 192350001);

INSERT INTO invoices (invoiceid, invoicenumber, msdyn_owningcompany, salesorderid, transactioncurrencyid, msdyn_invoicedate) VALUES
  ('1e000000-0000-4000-8000-000000000002', 'INV-NEW', 'c0000000-0000-4000-8000-000000000001', '0d000000-0000-4000-8000-000000000001',
   'cc000000-0000-4000-8000-000000000001', '2026-03-31');

INSERT INTO invoicedetails (invoicedetailid, invoiceid, invoicedetailname, msdyn_transactionclassification, transactioncurrencyid,
  extendedamount) VALUES
  ('1d000000-0000-4000-8000-000000000003', '1e000000-0000-4000-8000-000000000002', 'Opened', 192350003,
   'cc000000-0000-4000-8000-000000000001', '200000.0000');

UPDATE invoices SET msdyn_projectinvoicestatus = 192350002 WHERE invoicenumber = 'INV-NEW';

COMMIT;
