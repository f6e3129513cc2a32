-- The tables, and a contract for a fixed price that was taken over from another system. No milestones yet.
BEGIN;

CREATE TABLE cdm_companies (
  cdm_companyid TEXT NOT NULL PRIMARY KEY,
  cdm_companycode TEXT COLLATE NOCASE NOT NULL UNIQUE
);
CREATE TABLE transactioncurrencies (
  transactioncurrencyid TEXT NOT NULL PRIMARY KEY,
  isocurrencycode TEXT COLLATE NOCASE NOT NULL UNIQUE
);
CREATE TABLE salesorders (
  salesorderid TEXT NOT NULL PRIMARY KEY,
  ordernumber TEXT COLLATE NOCASE NOT NULL UNIQUE,
  name TEXT,
  msdyn_owningcompany TEXT
);
CREATE TABLE salesorderdetails (
  salesorderdetailid TEXT NOT NULL PRIMARY KEY,
  salesorderid TEXT NOT NULL,
  productdescription TEXT
);
CREATE TABLE msdyn_contractlinescheduleofvalues (
  msdyn_contractlinescheduleofvalueid TEXT NOT NULL PRIMARY KEY,
  msdyn_contract TEXT NOT NULL,
  msdyn_contractlineid TEXT NOT NULL,
  msdyn_name TEXT,
  msdyn_amount TEXT,
  transactioncurrencyid TEXT,
  msdyn_invoicedate TEXT,
  msdyn_invoicestatus INTEGER NOT NULL DEFAULT 192350000
);
CREATE TABLE invoices (
  invoiceid TEXT NOT NULL PRIMARY KEY,
  invoicenumber TEXT COLLATE NOCASE NOT NULL,
  msdyn_owningcompany TEXT,
  salesorderid TEXT,
  transactioncurrencyid TEXT,
  msdyn_projectinvoicestatus INTEGER NOT NULL DEFAULT 192350000,
  msdyn_invoicedate TEXT,
  UNIQUE (invoicenumber, msdyn_owningcompany)
);
CREATE TABLE invoicedetails (
  invoicedetailid TEXT NOT NULL PRIMARY KEY,
  invoiceid TEXT NOT NULL,
  invoicedetailname TEXT,
  msdyn_transactionclassification INTEGER,
  transactioncurrencyid TEXT,
  extendedamount TEXT
);
CREATE TABLE msdyn_actuals (
  msdyn_actualid TEXT NOT NULL PRIMARY KEY,
  msdyn_actualimportid TEXT NOT NULL,
  msdyn_owningcompany TEXT,
  msdyn_skipsync INTEGER NOT NULL DEFAULT 0,
  msdyn_description TEXT,
  msdyn_transactiontypecode INTEGER,
  msdyn_transactionclassification INTEGER,
  msdyn_invoice TEXT,
  msdyn_salescontract TEXT,
  transactioncurrencyid TEXT,
  msdyn_amount TEXT,
  UNIQUE (msdyn_actualimportid, msdyn_owningcompany)
);

INSERT INTO cdm_companies (cdm_companyid, cdm_companycode) VALUES ('c0000000-0000-4000-8000-000000000001', 'USPM');

INSERT INTO transactioncurrencies (transactioncurrencyid, isocurrencycode) VALUES
  ('cc000000-0000-4000-8000-000000000001', 'USD');

INSERT INTO salesorders (salesorderid, ordernumber, name, msdyn_owningcompany) VALUES
  ('0d000000-0000-4000-8000-000000000001', 'CON-0001', 'Harbour bridge', 'c0000000-0000-4000-8000-000000000001');

INSERT INTO salesorderdetails (salesorderdetailid, salesorderid, productdescription) VALUES
  ('2d000000-0000-4000-8000-000000000001', '0d000000-0000-4000-8000-000000000001', 'The bridge');

COMMIT;
