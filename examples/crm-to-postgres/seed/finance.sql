-- Finance before anything happens: companies, currencies and rates, customers, projects and contracts. No proposals.
-- The same rows as ../project-operations/seed/finance.sql, in PostgreSQL's words.
BEGIN;

INSERT INTO legalentities (legalentityid, name, accountingcurrency) VALUES
  ('USPM', 'Contoso Project Management US', 'USD'),
  ('USSI', 'Contoso System Integration US', 'USD'),
  ('GBSI', 'Contoso System Integration UK', 'GBP');

INSERT INTO currencies (currencycode, name, symbol) VALUES
  ('USD', 'US Dollar', '$'), ('EUR', 'Euro', '€'), ('GBP', 'Pound Sterling', '£'), ('DKK', 'Danish Krone', 'kr');

INSERT INTO exchangerates (fromcurrency, tocurrency, startdate, rate) VALUES
  ('USD', 'USD', '2026-01-01', 1), ('EUR', 'USD', '2026-01-01', 1.0842), ('GBP', 'USD', '2026-01-01', 1.2715), ('DKK', 'USD', '2026-01-01', 0.1453),
  ('USD', 'GBP', '2026-01-01', 0.7865), ('EUR', 'GBP', '2026-01-01', 0.8527), ('GBP', 'GBP', '2026-01-01', 1), ('DKK', 'GBP', '2026-01-01', 0.1143);

INSERT INTO customergroups (dataareaid, customergroupid, description)
SELECT legalentityid, '10', 'Project customers' FROM legalentities;

-- Customer 39 is known here only; customer 40 is a person, so it stays here.
INSERT INTO customersv3 (dataareaid, customeraccount, partytype, partynumber, organizationname, organizationnumberofemployees,
  languageid, customergroupid, salescurrencycode, invoiceaccount, invoiceaddress, isonetimecustomer, onholdstatus,
  creditlimitismandatory, creditlimit, paymentterms, primarycontactemail, primarycontactphone,
  deliveryaddressstreet, deliveryaddresscity, deliveryaddresscountryregionisocode)
SELECT substr('USPMUSSIGBSI', (n - 1) % 3 * 4 + 1, 4), 'C-' || lpad(n::text, 4, '0'),
  CASE n WHEN 40 THEN 'Person' ELSE 'Organization' END, lpad(n::text, 9, '0'), 'Customer ' || n, 10 * n,
  CASE (n - 1) % 3 WHEN 2 THEN 'en-gb' ELSE 'en-us' END, '10', substr('USDEURGBPDKK', (n - 1) % 4 * 3 + 1, 3), '', 0, 0, 0, n % 2,
  1000 * n, 'N030', 'ap' || n || '@customer.example', '+1 555 ' || lpad(n::text, 4, '0'),
  n || ' Main Street', 'Springfield', CASE (n - 1) % 3 WHEN 2 THEN 'GB' ELSE 'US' END
FROM generate_series(1, 40) AS n;

INSERT INTO projectsv2 (dataareaid, projectid, projectname, projectstage, projectgroupid, customeraccountnumber)
SELECT substr('USPMUSSIGBSI', (n - 1) % 3 * 4 + 1, 4), 'PRJ-' || lpad(n::text, 4, '0'), 'Project ' || n, 3, 'TM_FP',
  'C-' || lpad(n::text, 4, '0')
FROM generate_series(1, 12) AS n;

INSERT INTO projectcontractheaders (dataareaid, projectcontractid, name, salescurrencycode, customeraccountnumber, termsofpayment)
SELECT substr('USPMUSSIGBSI', (n - 1) % 3 * 4 + 1, 4), 'CON-' || lpad(n::text, 4, '0'), 'Contract ' || n,
  substr('USDEURGBPDKK', (n - 1) % 4 * 3 + 1, 3), 'C-' || lpad(n::text, 4, '0'), 'N030'
FROM generate_series(1, 13) AS n;

COMMIT;
