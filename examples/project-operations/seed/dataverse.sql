-- Dataverse before anything happens: 203 proforma invoices, all of them drafts. Everything is computed from counters,
-- so it is the same on every machine. Money is made in whole cents, ids are <kind>-0000-4000-8000-<counter>.
--
--   INV-00001 … INV-00200   1 to 60 lines each
--   INV-00201               2,500 lines
--   INV-00202               its contract CON-0013 is not there yet (seed/late-contract.sql brings it)
--   INV-00203               its name is longer than finance has room for (steps/fix-long-name.sql shortens it)
--   and one actual of a type that accounting does not know
BEGIN;

INSERT INTO cdm_companies (cdm_companyid, cdm_companycode, cdm_name) VALUES
  ('c0000000-0000-4000-8000-000000000001', 'USPM', 'Contoso Project Management US'),
  ('c0000000-0000-4000-8000-000000000002', 'USSI', 'Contoso System Integration US'),
  ('c0000000-0000-4000-8000-000000000003', 'GBSI', 'Contoso System Integration UK');

INSERT INTO transactioncurrencies (transactioncurrencyid, isocurrencycode, currencyname, currencysymbol, currencyprecision) VALUES
  ('cc000000-0000-4000-8000-000000000001', 'USD', 'US Dollar', '$', 2),
  ('cc000000-0000-4000-8000-000000000002', 'EUR', 'Euro', '€', 2),
  ('cc000000-0000-4000-8000-000000000003', 'GBP', 'Pound Sterling', '£', 2),
  ('cc000000-0000-4000-8000-000000000004', 'DKK', 'Danish Krone', 'kr', 2);

INSERT INTO uoms (uomid, name, msdyn_symbol) VALUES
  ('00a00000-0000-4000-8000-000000000001', 'Hour', 'h'),
  ('00a00000-0000-4000-8000-000000000002', 'Day', 'day'),
  ('00a00000-0000-4000-8000-000000000003', 'Each', 'ea');

INSERT INTO msdyn_customergroups (msdyn_customergroupid, msdyn_groupid, msdyn_company, msdyn_description)
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 3)
SELECT printf('c9000000-0000-4000-8000-%012x', n), '10', printf('c0000000-0000-4000-8000-%012x', n), 'Project customers' FROM c;

INSERT INTO msdyn_paymentterms (msdyn_paymenttermid, msdyn_name, msdyn_company, msdyn_description, msdyn_days)
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 3)
SELECT printf('c7000000-0000-4000-8000-%012x', n), 'N030', printf('c0000000-0000-4000-8000-%012x', n), 'Net 30', 30 FROM c;

-- Customers 1 to 38; finance has 40 (39 comes from there, 40 is a person and stays there).
INSERT INTO accounts (accountid, accountnumber, msdyn_company, name, customertypecode, emailaddress1, telephone1,
  numberofemployees, creditlimit, transactioncurrencyid, statecode, address1_addresstypecode, address1_line1, address1_city,
  address1_country, msdyn_creditlimitismandatory, msdyn_onetimecustomer, msdyn_onholdstatus, msdyn_invoiceaddress,
  msdyn_customergroupid, createdon, modifiedon)
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 38)
SELECT printf('ac000000-0000-4000-8000-%012x', n), printf('C-%04d', n), printf('c0000000-0000-4000-8000-%012x', (n - 1) % 3 + 1),
  -- Customer 5 was renamed in finance only: the initial sync brings the new name.
  CASE n WHEN 5 THEN 'An old name' ELSE printf('Customer %d', n) END,
  3, printf('ap%d@customer.example', n), printf('+1 555 %04d', n), 10 * n, printf('%d.0000', 1000 * n),
  printf('cc000000-0000-4000-8000-%012x', (n - 1) % 4 + 1), 0, 2, printf('%d Main Street', n), 'Springfield',
  CASE (n - 1) % 3 WHEN 2 THEN 'GB' ELSE 'US' END, n % 2, 0, 192350000, 192350000,
  printf('c9000000-0000-4000-8000-%012x', (n - 1) % 3 + 1), '2025-12-01T08:00:00Z', '2025-12-01T08:00:00Z'
FROM c;

INSERT INTO contacts (contactid, msdyn_contactpersonid, msdyn_company, firstname, lastname, emailaddress1)
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 6)
SELECT printf('c7000000-0000-4000-8000-%012x', n), printf('P-%04d', n), printf('c0000000-0000-4000-8000-%012x', (n - 1) % 3 + 1),
  'Person', printf('Number %d', n), printf('person%d@customer.example', n)
FROM c;

INSERT INTO salesorders (salesorderid, ordernumber, name, msdyn_owningcompany, customerid, customeridtype, transactioncurrencyid, totalamount)
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 12)
SELECT printf('0d000000-0000-4000-8000-%012x', n), printf('CON-%04d', n), printf('Contract %d', n),
  printf('c0000000-0000-4000-8000-%012x', (n - 1) % 3 + 1), printf('ac000000-0000-4000-8000-%012x', n), 'accounts',
  printf('cc000000-0000-4000-8000-%012x', (n - 1) % 4 + 1), '1000000.0000'
FROM c;

INSERT INTO msdyn_projects (msdyn_projectid, msdynce_projectnumber, msdyn_subject, msdyn_owningcompany, msdyn_salesorderid,
  msdyn_customer, transactioncurrencyid, statecode)
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 12)
SELECT printf('9c000000-0000-4000-8000-%012x', n), printf('PRJ-%04d', n), printf('Project %d', n),
  printf('c0000000-0000-4000-8000-%012x', (n - 1) % 3 + 1), printf('0d000000-0000-4000-8000-%012x', n),
  printf('ac000000-0000-4000-8000-%012x', n), printf('cc000000-0000-4000-8000-%012x', (n - 1) % 4 + 1), 0
FROM c;

INSERT INTO msdyn_projecttasks (msdyn_projecttaskid, msdyn_subject, msdyn_project, msdyn_activitynumber, msdyn_wbsid)
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 24)
SELECT printf('7a000000-0000-4000-8000-%012x', n), CASE n % 2 WHEN 1 THEN 'Design' ELSE 'Build' END,
  printf('9c000000-0000-4000-8000-%012x', (n + 1) / 2), printf('A%05d', n), printf('%d', 2 - n % 2)
FROM c;

-- Contract k of invoice n: 1 to 12 in turn, 13 for the one that is not there yet. Its company and currency follow.
INSERT INTO invoices (invoiceid, invoicenumber, name, description, msdyn_owningcompany, salesorderid, customerid, customeridtype,
  transactioncurrencyid, msdyn_projectinvoicestatus, msdyn_ordertype, statecode, msdyn_invoicedate, duedate, msdyn_accountingdate,
  paymenttermscode, billto_name, billto_city, msdyn_hascorrections, createdon, modifiedon)
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 203),
  i AS (SELECT n, CASE n WHEN 202 THEN 13 ELSE (n - 1) % 12 + 1 END AS k FROM c)
SELECT printf('17000000-0000-4000-8000-%012x', n), printf('INV-%05d', n),
  CASE n WHEN 203 THEN 'Services for the construction of the new distribution centre, phase two, billed by milestone and by time'
    ELSE printf('Project %d, invoice %d', k, n) END,
  CASE n % 3 WHEN 0 THEN printf('Purchase order %d', 4500000 + n) END,
  printf('c0000000-0000-4000-8000-%012x', (k - 1) % 3 + 1), printf('0d000000-0000-4000-8000-%012x', k),
  printf('ac000000-0000-4000-8000-%012x', (k - 1) % 12 + 1 + 12 * (n / 12 % 3)), 'accounts',
  printf('cc000000-0000-4000-8000-%012x', (k - 1) % 4 + 1), 192350000, 192350001, 0,
  date('2026-02-20', '+' || (n % 10) || ' days'), date('2026-03-22', '+' || (n % 10) || ' days'),
  -- A date-only column of the user's time: midnight in Copenhagen, kept in UTC.
  strftime('%Y-%m-%dT23:00:00Z', '2026-02-20', '+' || (n % 10 - 1) || ' days'),
  CASE n % 5 WHEN 0 THEN NULL ELSE n % 5 END, printf('Customer %d', (k - 1) % 12 + 1 + 12 * (n / 12 % 3)), 'Springfield', 0,
  '2026-02-01T08:00:00Z', '2026-02-01T08:00:00Z'
FROM i;

-- Every fifth line is a milestone (fixed price); the others are time, expenses, material and fees that were recorded as
-- unbilled sales before.
INSERT INTO invoicedetails (invoicedetailid, invoiceid, lineitemnumber, invoicedetailname, producttypecode, msdyn_billingmethod,
  msdyn_transactionclassification, msdyn_billingtype, msdyn_project, msdyn_task, msdyn_contractline, uomid, transactioncurrencyid,
  quantity, priceperunit, extendedamount, actualdeliveryon, msdyn_transactiondate, msdyn_unbilledsales)
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 203),
  i AS (SELECT n, CASE n WHEN 202 THEN 1 ELSE (n - 1) % 12 + 1 END AS p,
    CASE n WHEN 202 THEN 13 ELSE (n - 1) % 12 + 1 END AS k,
    CASE n WHEN 201 THEN 2500 WHEN 202 THEN 20 WHEN 203 THEN 25 ELSE 1 + n * 37 % 60 END AS lines FROM c),
  l(line) AS (SELECT 1 UNION ALL SELECT line + 1 FROM l WHERE line < 2500),
  d AS (SELECT n, p, k, line, n * 10000 + line AS id, line % 5 = 0 AS milestone,
    1 + (n + 3 * line) % 16 AS halves, 5000 + (n * 13 + line * 7) % 200 * 50 AS price,
    date('2026-01-05', '+' || ((n + line) % 40) || ' days') AS day
    FROM i CROSS JOIN l WHERE line <= lines)
SELECT printf('1d000000-0000-4000-8000-%012x', id), printf('17000000-0000-4000-8000-%012x', n), line,
  CASE WHEN milestone THEN printf('Milestone %d', line / 5) ELSE printf('Work item %d of invoice %d', line, n) END, 5,
  CASE WHEN milestone THEN 192350001 ELSE 192350000 END,
  CASE WHEN milestone THEN 192350003 ELSE substr('192350000192350001192350002192350004', line % 4 * 9 + 1, 9) + 0 END,
  CASE WHEN line % 11 = 0 THEN 192350000 ELSE 192350001 END,
  printf('9c000000-0000-4000-8000-%012x', p), CASE WHEN milestone THEN NULL ELSE printf('7a000000-0000-4000-8000-%012x', 2 * p - line % 2) END,
  printf('CON-%04d-%d', k, CASE WHEN milestone THEN 2 ELSE 1 END),
  printf('00a00000-0000-4000-8000-%012x', CASE WHEN milestone THEN 3 ELSE 1 END),
  printf('cc000000-0000-4000-8000-%012x', (k - 1) % 4 + 1),
  CASE WHEN milestone THEN '1.00' ELSE printf('%d.%d0', halves / 2, halves % 2 * 5) END,
  CASE WHEN milestone THEN printf('%d.0000', price) ELSE printf('%d.%02d00', price / 100, price % 100) END,
  CASE WHEN milestone THEN printf('%d.0000', price)
    ELSE printf('%d.%02d00', halves * price / 2 / 100, halves * price / 2 % 100) END,
  day || 'T09:30:00Z', day || 'T00:00:00',
  CASE WHEN milestone THEN NULL ELSE printf('ba000000-0000-4000-8000-%012x', id) END
FROM d;

UPDATE invoices SET totalamount = (
  SELECT printf('%d.%02d00', cents / 100, cents % 100)
  FROM (SELECT CAST(round(sum(extendedamount + 0.0) * 100) AS INTEGER) AS cents FROM invoicedetails d WHERE d.invoiceid = invoices.invoiceid));

-- The unbilled sales that time, expenses, material and fees left behind when they were approved.
INSERT INTO msdyn_actuals (msdyn_actualid, msdyn_actualimportid, msdyn_owningcompany, msdyn_skipsync, msdyn_description,
  msdyn_transactiontypecode, msdyn_transactionclassification, msdyn_billingtype, msdyn_billingstatus, msdyn_project, msdyn_task,
  msdyn_salescontract, transactioncurrencyid, msdyn_unit, msdyn_quantity, msdyn_price, msdyn_amount, msdyn_transactiondate,
  msdyn_documentdate, msdyn_accountingdate, msdyn_startdatetime, msdyn_enddatetime, msdyn_valueofsalescontractline,
  msdyn_isjournalized, statecode)
SELECT d.msdyn_unbilledsales, d.msdyn_unbilledsales, i.msdyn_owningcompany, 0, d.invoicedetailname, 192350005,
  d.msdyn_transactionclassification, d.msdyn_billingtype, 192350001, d.msdyn_project, d.msdyn_task,
  i.salesorderid, d.transactioncurrencyid, d.uomid, d.quantity, d.priceperunit, d.extendedamount, d.msdyn_transactiondate,
  d.actualdeliveryon, strftime('%Y-%m-%dT23:00:00Z', d.actualdeliveryon, '-1 day'), d.actualdeliveryon, d.actualdeliveryon,
  d.msdyn_contractline, 0, 0
FROM invoicedetails d
JOIN invoices i ON i.invoiceid = d.invoiceid
WHERE d.msdyn_unbilledsales IS NOT NULL;

-- One cost actual for each project, and one actual of a type that accounting does not know.
INSERT INTO msdyn_actuals (msdyn_actualid, msdyn_actualimportid, msdyn_owningcompany, msdyn_skipsync, msdyn_description,
  msdyn_transactiontypecode, msdyn_transactionclassification, msdyn_billingtype, msdyn_project, transactioncurrencyid, msdyn_unit,
  msdyn_quantity, msdyn_price, msdyn_amount, msdyn_transactiondate, msdyn_documentdate, msdyn_startdatetime, msdyn_enddatetime,
  msdyn_isjournalized, statecode)
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 13)
SELECT printf('c0570000-0000-4000-8000-%012x', n), printf('c0570000-0000-4000-8000-%012x', n),
  printf('c0000000-0000-4000-8000-%012x', (n - 1) % 3 + 1), 0, CASE n WHEN 13 THEN 'Not a transaction' ELSE printf('Cost of project %d', n) END,
  CASE n WHEN 13 THEN 192350004 ELSE 192350000 END, 192350000, CASE n % 2 WHEN 0 THEN NULL ELSE 192350003 END,
  printf('9c000000-0000-4000-8000-%012x', (n - 1) % 12 + 1), printf('cc000000-0000-4000-8000-%012x', (n - 1) % 4 + 1),
  '00a00000-0000-4000-8000-000000000001', '8.00', printf('%d.0000', 40 + n), printf('%d.0000', 8 * (40 + n)),
  '2026-01-05T00:00:00', '2026-01-05T09:30:00Z', '2026-01-05T09:30:00Z', '2026-01-05T17:30:00Z', 0, 0
FROM c;

COMMIT;
