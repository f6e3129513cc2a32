-- The tables of Dataverse in a SQLite file, as `tablemap demo` makes them.
BEGIN;

CREATE TABLE "cdm_companies" (
  "cdm_companyid" TEXT NOT NULL,
  "cdm_companycode" TEXT COLLATE NOCASE NOT NULL,
  "cdm_name" TEXT,
  PRIMARY KEY ("cdm_companyid"),
  UNIQUE ("cdm_companycode")
);

CREATE TABLE "transactioncurrencies" (
  "transactioncurrencyid" TEXT NOT NULL,
  "isocurrencycode" TEXT COLLATE NOCASE NOT NULL,
  "currencyname" TEXT,
  "currencysymbol" TEXT,
  "currencyprecision" INTEGER,
  PRIMARY KEY ("transactioncurrencyid"),
  UNIQUE ("isocurrencycode")
);

CREATE TABLE "uoms" (
  "uomid" TEXT NOT NULL,
  "name" TEXT,
  "msdyn_symbol" TEXT NOT NULL,
  PRIMARY KEY ("uomid"),
  UNIQUE ("msdyn_symbol")
);

CREATE TABLE "msdyn_customergroups" (
  "msdyn_customergroupid" TEXT NOT NULL,
  "msdyn_groupid" TEXT COLLATE NOCASE NOT NULL,
  "msdyn_company" TEXT NOT NULL,
  "msdyn_description" TEXT,
  PRIMARY KEY ("msdyn_customergroupid"),
  UNIQUE ("msdyn_groupid", "msdyn_company")
);

CREATE INDEX "msdyn_customergroups_msdyn_company" ON "msdyn_customergroups" ("msdyn_company");

CREATE TABLE "accounts" (
  "accountid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  "accountnumber" TEXT COLLATE NOCASE,
  "msdyn_company" TEXT,
  "name" TEXT,
  "customertypecode" INTEGER,
  "description" TEXT,
  "emailaddress1" TEXT,
  "telephone1" TEXT,
  "fax" TEXT,
  "websiteurl" TEXT,
  "primarytwitterid" TEXT,
  "numberofemployees" INTEGER,
  "creditlimit" TEXT,
  "transactioncurrencyid" TEXT,
  "primarycontactid" TEXT,
  "statecode" INTEGER NOT NULL DEFAULT (0),
  "address1_addresstypecode" INTEGER,
  "address1_line1" TEXT,
  "address1_city" TEXT,
  "address1_postalcode" TEXT,
  "address1_county" TEXT,
  "address1_stateorprovince" TEXT,
  "address1_country" TEXT,
  "address2_addresstypecode" INTEGER,
  "address2_line1" TEXT,
  "address2_city" TEXT,
  "address2_postalcode" TEXT,
  "address2_county" TEXT,
  "address2_stateorprovince" TEXT,
  "address2_country" TEXT,
  "msdyn_creditlimitismandatory" INTEGER NOT NULL DEFAULT (0),
  "msdyn_onetimecustomer" INTEGER NOT NULL DEFAULT (0),
  "msdyn_onholdstatus" INTEGER NOT NULL DEFAULT (192350000),
  "msdyn_invoiceaddress" INTEGER NOT NULL DEFAULT (192350000),
  "msdyn_creditrating" TEXT,
  "msdyn_identificationnumber" TEXT,
  "msdyn_taxexemptnumber" TEXT,
  "msdyn_customergroupid" TEXT,
  "msdyn_billingaccount" TEXT,
  "createdon" TEXT,
  "modifiedon" TEXT,
  PRIMARY KEY ("accountid"),
  UNIQUE ("accountnumber", "msdyn_company")
);

CREATE INDEX "accounts_msdyn_company" ON "accounts" ("msdyn_company");

CREATE INDEX "accounts_transactioncurrencyid" ON "accounts" ("transactioncurrencyid");

CREATE INDEX "accounts_primarycontactid" ON "accounts" ("primarycontactid");

CREATE INDEX "accounts_msdyn_customergroupid" ON "accounts" ("msdyn_customergroupid");

CREATE INDEX "accounts_msdyn_billingaccount" ON "accounts" ("msdyn_billingaccount");

CREATE TABLE "contacts" (
  "contactid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  "msdyn_contactpersonid" TEXT COLLATE NOCASE,
  "msdyn_company" TEXT,
  "firstname" TEXT,
  "lastname" TEXT,
  "emailaddress1" TEXT,
  PRIMARY KEY ("contactid"),
  UNIQUE ("msdyn_contactpersonid", "msdyn_company")
);

CREATE INDEX "contacts_msdyn_company" ON "contacts" ("msdyn_company");

CREATE TABLE "salesorders" (
  "salesorderid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  "ordernumber" TEXT COLLATE NOCASE NOT NULL,
  "name" TEXT,
  "msdyn_owningcompany" TEXT,
  "customerid" TEXT,
  "customeridtype" TEXT,
  "transactioncurrencyid" TEXT,
  "exchangerate" TEXT,
  "totalamount" TEXT,
  PRIMARY KEY ("salesorderid"),
  UNIQUE ("ordernumber")
);

CREATE INDEX "salesorders_msdyn_owningcompany" ON "salesorders" ("msdyn_owningcompany");

CREATE INDEX "salesorders_customerid" ON "salesorders" ("customerid");

CREATE INDEX "salesorders_transactioncurrencyid" ON "salesorders" ("transactioncurrencyid");

CREATE TABLE "msdyn_projects" (
  "msdyn_projectid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  "msdynce_projectnumber" TEXT COLLATE NOCASE,
  "msdyn_subject" TEXT,
  "msdyn_description" TEXT,
  "msdyn_owningcompany" TEXT,
  "msdyn_salesorderid" TEXT,
  "msdyn_customer" TEXT,
  "transactioncurrencyid" TEXT,
  "statecode" INTEGER NOT NULL DEFAULT (0),
  PRIMARY KEY ("msdyn_projectid"),
  UNIQUE ("msdynce_projectnumber")
);

CREATE INDEX "msdyn_projects_msdyn_owningcompany" ON "msdyn_projects" ("msdyn_owningcompany");

CREATE INDEX "msdyn_projects_msdyn_salesorderid" ON "msdyn_projects" ("msdyn_salesorderid");

CREATE INDEX "msdyn_projects_msdyn_customer" ON "msdyn_projects" ("msdyn_customer");

CREATE INDEX "msdyn_projects_transactioncurrencyid" ON "msdyn_projects" ("transactioncurrencyid");

CREATE TABLE "msdyn_projecttasks" (
  "msdyn_projecttaskid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  "msdyn_subject" TEXT,
  "msdyn_project" TEXT,
  "msdyn_activitynumber" TEXT,
  "msdyn_wbsid" TEXT,
  PRIMARY KEY ("msdyn_projecttaskid")
);

CREATE INDEX "msdyn_projecttasks_msdyn_project" ON "msdyn_projecttasks" ("msdyn_project");

CREATE TABLE "invoices" (
  "invoiceid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  "invoicenumber" TEXT COLLATE NOCASE NOT NULL,
  "name" TEXT,
  "description" TEXT,
  "msdyn_owningcompany" TEXT,
  "salesorderid" TEXT,
  "customerid" TEXT,
  "customeridtype" TEXT,
  "transactioncurrencyid" TEXT,
  "exchangerate" TEXT,
  "msdyn_projectinvoicestatus" INTEGER NOT NULL DEFAULT (192350000),
  "msdyn_ordertype" INTEGER,
  "statecode" INTEGER NOT NULL DEFAULT (0),
  "msdyn_invoicedate" TEXT,
  "duedate" TEXT,
  "msdyn_accountingdate" TEXT,
  "paymenttermscode" INTEGER,
  "billto_name" TEXT,
  "billto_line1" TEXT,
  "billto_city" TEXT,
  "billto_postalcode" TEXT,
  "billto_country" TEXT,
  "totalamount" TEXT,
  "totaltax" TEXT,
  "msdyn_amountdue" TEXT,
  "msdyn_hascorrections" INTEGER DEFAULT (0),
  "createdon" TEXT,
  "modifiedon" TEXT,
  PRIMARY KEY ("invoiceid"),
  UNIQUE ("invoicenumber", "msdyn_owningcompany")
);

CREATE INDEX "invoices_msdyn_owningcompany" ON "invoices" ("msdyn_owningcompany");

CREATE INDEX "invoices_salesorderid" ON "invoices" ("salesorderid");

CREATE INDEX "invoices_customerid" ON "invoices" ("customerid");

CREATE INDEX "invoices_transactioncurrencyid" ON "invoices" ("transactioncurrencyid");

CREATE TABLE "invoicedetails" (
  "invoicedetailid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  "invoiceid" TEXT NOT NULL,
  "lineitemnumber" INTEGER NOT NULL,
  "invoicedetailname" TEXT,
  "productdescription" TEXT,
  "producttypecode" INTEGER,
  "msdyn_billingmethod" INTEGER,
  "msdyn_transactionclassification" INTEGER,
  "msdyn_billingtype" INTEGER,
  "msdyn_project" TEXT,
  "msdyn_task" TEXT,
  "msdyn_contractline" TEXT,
  "uomid" TEXT,
  "transactioncurrencyid" TEXT,
  "quantity" TEXT NOT NULL,
  "priceperunit" TEXT,
  "extendedamount" TEXT,
  "tax" TEXT,
  "actualdeliveryon" TEXT NOT NULL,
  "msdyn_transactiondate" TEXT,
  "msdyn_unbilledsales" TEXT,
  PRIMARY KEY ("invoicedetailid"),
  UNIQUE ("invoiceid", "lineitemnumber")
);

CREATE INDEX "invoicedetails_msdyn_project" ON "invoicedetails" ("msdyn_project");

CREATE INDEX "invoicedetails_msdyn_task" ON "invoicedetails" ("msdyn_task");

CREATE INDEX "invoicedetails_uomid" ON "invoicedetails" ("uomid");

CREATE INDEX "invoicedetails_transactioncurrencyid" ON "invoicedetails" ("transactioncurrencyid");

CREATE INDEX "invoicedetails_msdyn_unbilledsales" ON "invoicedetails" ("msdyn_unbilledsales");

CREATE TABLE "msdyn_actuals" (
  "msdyn_actualid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  "msdyn_actualimportid" TEXT NOT NULL,
  "msdyn_owningcompany" TEXT,
  "msdyn_skipsync" INTEGER NOT NULL DEFAULT (0),
  "msdyn_description" TEXT,
  "msdyn_externaldescription" TEXT,
  "msdyn_transactiontypecode" INTEGER,
  "msdyn_transactionclassification" INTEGER,
  "msdyn_billingtype" INTEGER,
  "msdyn_billingstatus" INTEGER,
  "msdyn_adjustmentstatus" INTEGER,
  "msdyn_project" TEXT,
  "msdyn_task" TEXT,
  "msdyn_salescontract" TEXT,
  "msdyn_invoice" TEXT,
  "msdyn_accountcustomer" TEXT,
  "msdyn_contactcustomer" TEXT,
  "transactioncurrencyid" TEXT,
  "exchangerate" TEXT,
  "msdyn_unit" TEXT,
  "msdyn_quantity" TEXT,
  "msdyn_price" TEXT,
  "msdyn_amount" TEXT,
  "msdyn_transactiondate" TEXT,
  "msdyn_documentdate" TEXT NOT NULL,
  "msdyn_accountingdate" TEXT,
  "msdyn_startdatetime" TEXT NOT NULL,
  "msdyn_enddatetime" TEXT NOT NULL,
  "msdyn_externalreferenceid" TEXT,
  "msdyn_externaloriginreference" TEXT,
  "msdyn_valueofsalescontractline" TEXT,
  "msdyn_isjournalized" INTEGER DEFAULT (0),
  "statecode" INTEGER NOT NULL DEFAULT (0),
  "msdyn_accountingamount" TEXT,
  "msdyn_accountexchangerate" TEXT,
  "msdyn_vouchernumber" TEXT,
  "msdyn_accountingtaxamount" TEXT,
  PRIMARY KEY ("msdyn_actualid"),
  UNIQUE ("msdyn_actualimportid", "msdyn_owningcompany")
);

CREATE INDEX "msdyn_actuals_msdyn_owningcompany" ON "msdyn_actuals" ("msdyn_owningcompany");

CREATE INDEX "msdyn_actuals_msdyn_project" ON "msdyn_actuals" ("msdyn_project");

CREATE INDEX "msdyn_actuals_msdyn_task" ON "msdyn_actuals" ("msdyn_task");

CREATE INDEX "msdyn_actuals_msdyn_salescontract" ON "msdyn_actuals" ("msdyn_salescontract");

CREATE INDEX "msdyn_actuals_msdyn_invoice" ON "msdyn_actuals" ("msdyn_invoice");

CREATE INDEX "msdyn_actuals_msdyn_accountcustomer" ON "msdyn_actuals" ("msdyn_accountcustomer");

CREATE INDEX "msdyn_actuals_msdyn_contactcustomer" ON "msdyn_actuals" ("msdyn_contactcustomer");

CREATE INDEX "msdyn_actuals_transactioncurrencyid" ON "msdyn_actuals" ("transactioncurrencyid");

CREATE INDEX "msdyn_actuals_msdyn_unit" ON "msdyn_actuals" ("msdyn_unit");

CREATE TABLE "msdyn_transactionconnections" (
  "msdyn_transactionconnectionid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  "msdyn_transaction1" TEXT,
  "msdyn_transaction1type" TEXT,
  "msdyn_transaction1role" INTEGER,
  "msdyn_transaction2" TEXT,
  "msdyn_transaction2type" TEXT,
  "msdyn_transaction2role" INTEGER,
  PRIMARY KEY ("msdyn_transactionconnectionid")
);

COMMIT;
