-- The tables of Dataverse in a SQLite file, as `tablemap demo` makes them.
BEGIN;

CREATE TABLE "cdm_companies" (
  "cdm_companyid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
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
  "uomid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  "name" TEXT,
  "msdyn_symbol" TEXT NOT NULL,
  "msdyn_description" TEXT,
  "msdyn_externalunitclassname" TEXT,
  "msdyn_decimalprecision" INTEGER,
  "msdyn_isbaseunit" INTEGER NOT NULL DEFAULT (0),
  "msdyn_issystemunit" INTEGER NOT NULL DEFAULT (0),
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

CREATE TABLE "msdyn_paymentdays" (
  "msdyn_paymentdayid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  "msdyn_name" TEXT COLLATE NOCASE NOT NULL,
  "msdyn_company" TEXT NOT NULL,
  "msdyn_description" TEXT,
  PRIMARY KEY ("msdyn_paymentdayid"),
  UNIQUE ("msdyn_name", "msdyn_company")
);

CREATE INDEX "msdyn_paymentdays_msdyn_company" ON "msdyn_paymentdays" ("msdyn_company");

CREATE TABLE "msdyn_paymentschedules" (
  "msdyn_paymentscheduleid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  "msdyn_name" TEXT COLLATE NOCASE NOT NULL,
  "msdyn_company" TEXT NOT NULL,
  "msdyn_description" TEXT,
  "msdyn_paymentfrequency" INTEGER,
  "msdyn_numberofpayments" INTEGER,
  "msdyn_fixedpaymentamount" TEXT,
  "msdyn_minimumpaymentamount" TEXT,
  "msdyn_note" TEXT,
  PRIMARY KEY ("msdyn_paymentscheduleid"),
  UNIQUE ("msdyn_name", "msdyn_company")
);

CREATE INDEX "msdyn_paymentschedules_msdyn_company" ON "msdyn_paymentschedules" ("msdyn_company");

CREATE TABLE "msdyn_paymentterms" (
  "msdyn_paymenttermid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  "msdyn_name" TEXT COLLATE NOCASE NOT NULL,
  "msdyn_company" TEXT NOT NULL,
  "msdyn_description" TEXT,
  "msdyn_numberofmonth" INTEGER,
  "msdyn_days" INTEGER,
  "msdyn_cutoffdayofmonth" INTEGER,
  "msdyn_iscashpayment" INTEGER NOT NULL DEFAULT (0),
  "msdyn_iscertifiedcompanycheck" INTEGER NOT NULL DEFAULT (0),
  "msdyn_isdefaultpaymentterm" INTEGER NOT NULL DEFAULT (0),
  "msdyn_paymentdayname" TEXT,
  "msdyn_paymentschedulename" TEXT,
  PRIMARY KEY ("msdyn_paymenttermid"),
  UNIQUE ("msdyn_name", "msdyn_company")
);

CREATE INDEX "msdyn_paymentterms_msdyn_company" ON "msdyn_paymentterms" ("msdyn_company");

CREATE INDEX "msdyn_paymentterms_msdyn_paymentdayname" ON "msdyn_paymentterms" ("msdyn_paymentdayname");

CREATE INDEX "msdyn_paymentterms_msdyn_paymentschedulename" ON "msdyn_paymentterms" ("msdyn_paymentschedulename");

CREATE TABLE "msdyn_customerpaymentmethods" (
  "msdyn_customerpaymentmethodid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  "msdyn_name" TEXT COLLATE NOCASE NOT NULL,
  "msdyn_company" TEXT NOT NULL,
  "msdyn_description" TEXT,
  PRIMARY KEY ("msdyn_customerpaymentmethodid"),
  UNIQUE ("msdyn_name", "msdyn_company")
);

CREATE INDEX "msdyn_customerpaymentmethods_msdyn_company" ON "msdyn_customerpaymentmethods" ("msdyn_company");

CREATE TABLE "msdyn_exchangeratetypes" (
  "msdyn_exchangeratetypeid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  "msdyn_name" TEXT COLLATE NOCASE NOT NULL,
  PRIMARY KEY ("msdyn_exchangeratetypeid"),
  UNIQUE ("msdyn_name")
);

CREATE TABLE "msdyn_chartofaccountses" (
  "msdyn_chartofaccountsid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  "msdyn_name" TEXT COLLATE NOCASE NOT NULL,
  PRIMARY KEY ("msdyn_chartofaccountsid"),
  UNIQUE ("msdyn_name")
);

CREATE TABLE "msdyn_fiscalcalendars" (
  "msdyn_fiscalcalendarid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  "msdyn_calendar" TEXT COLLATE NOCASE NOT NULL,
  PRIMARY KEY ("msdyn_fiscalcalendarid"),
  UNIQUE ("msdyn_calendar")
);

CREATE TABLE "msdyn_ledgers" (
  "msdyn_ledgerid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  "msdyn_name" TEXT COLLATE NOCASE NOT NULL,
  "msdyn_company" TEXT NOT NULL,
  "msdyn_description" TEXT,
  "msdyn_accountingcurrency" TEXT,
  "msdyn_reportingcurrency" TEXT,
  "msdyn_exchangeratetype" TEXT,
  "msdyn_reportingcurrencyexchangeratetype" TEXT,
  "msdyn_budgetexchangeratetype" TEXT,
  "msdyn_chartofaccounts" TEXT,
  "msdyn_fiscalcalendar" TEXT,
  "msdyn_isbudgetcontrolenabled" INTEGER NOT NULL DEFAULT (0),
  PRIMARY KEY ("msdyn_ledgerid"),
  UNIQUE ("msdyn_name", "msdyn_company")
);

CREATE INDEX "msdyn_ledgers_msdyn_company" ON "msdyn_ledgers" ("msdyn_company");

CREATE INDEX "msdyn_ledgers_msdyn_accountingcurrency" ON "msdyn_ledgers" ("msdyn_accountingcurrency");

CREATE INDEX "msdyn_ledgers_msdyn_reportingcurrency" ON "msdyn_ledgers" ("msdyn_reportingcurrency");

CREATE INDEX "msdyn_ledgers_msdyn_exchangeratetype" ON "msdyn_ledgers" ("msdyn_exchangeratetype");

CREATE INDEX "msdyn_ledgers_msdyn_reportingcurrencyexchangeratetype" ON "msdyn_ledgers" ("msdyn_reportingcurrencyexchangeratetype");

CREATE INDEX "msdyn_ledgers_msdyn_budgetexchangeratetype" ON "msdyn_ledgers" ("msdyn_budgetexchangeratetype");

CREATE INDEX "msdyn_ledgers_msdyn_chartofaccounts" ON "msdyn_ledgers" ("msdyn_chartofaccounts");

CREATE INDEX "msdyn_ledgers_msdyn_fiscalcalendar" ON "msdyn_ledgers" ("msdyn_fiscalcalendar");

CREATE TABLE "msdyn_currencyexchangerates" (
  "msdyn_currencyexchangerateid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  "msdyn_exchangeratetypename" TEXT COLLATE NOCASE NOT NULL,
  "msdyn_fromcurrencycode" TEXT COLLATE NOCASE NOT NULL,
  "msdyn_tocurrencycode" TEXT COLLATE NOCASE NOT NULL,
  "msdyn_exchangerate" TEXT,
  "msdyn_validfrom" TEXT NOT NULL,
  "msdyn_validto" TEXT,
  PRIMARY KEY ("msdyn_currencyexchangerateid"),
  UNIQUE ("msdyn_exchangeratetypename", "msdyn_fromcurrencycode", "msdyn_tocurrencycode", "msdyn_validfrom")
);

CREATE TABLE "msdyn_vendors" (
  "msdyn_vendorid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  "msdyn_vendoraccountnumber" TEXT COLLATE NOCASE NOT NULL,
  "msdyn_company" TEXT NOT NULL,
  PRIMARY KEY ("msdyn_vendorid"),
  UNIQUE ("msdyn_vendoraccountnumber", "msdyn_company")
);

CREATE INDEX "msdyn_vendors_msdyn_company" ON "msdyn_vendors" ("msdyn_company");

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
  "address1_latitude" REAL,
  "address1_longitude" REAL,
  "address2_addresstypecode" INTEGER,
  "address2_line1" TEXT,
  "address2_city" TEXT,
  "address2_postalcode" TEXT,
  "address2_county" TEXT,
  "address2_stateorprovince" TEXT,
  "address2_country" TEXT,
  "address2_latitude" REAL,
  "address2_longitude" REAL,
  "msdyn_creditlimitismandatory" INTEGER NOT NULL DEFAULT (0),
  "msdyn_onetimecustomer" INTEGER NOT NULL DEFAULT (0),
  "msdyn_onholdstatus" INTEGER NOT NULL DEFAULT (192350000),
  "msdyn_invoiceaddress" INTEGER NOT NULL DEFAULT (192350000),
  "msdyn_creditrating" TEXT,
  "msdyn_identificationnumber" TEXT,
  "msdyn_taxexemptnumber" TEXT,
  "msdyn_customergroupid" TEXT,
  "msdyn_billingaccount" TEXT,
  "msdyn_partycountry" TEXT,
  "msdyn_partystateprovince" TEXT,
  "msdyn_vendor" TEXT,
  "msdyn_paymentterm" TEXT,
  "msdyn_paymentday" TEXT,
  "msdyn_paymentschedule" TEXT,
  "msdyn_customerpaymentmethod" TEXT,
  "msdyn_paymenttermsbasedays" INTEGER,
  "msdyn_primaryfacebookid" TEXT,
  "msdyn_primaryfacebookdescription" TEXT,
  "msdyn_primarylinkedinid" TEXT,
  "msdyn_primarylinkedindescrption" TEXT,
  "msdyn_emailaddress1description" TEXT,
  "msdyn_faxdescription" TEXT,
  "msdyn_faxextension" TEXT,
  "msdyn_telephone1description" TEXT,
  "msdyn_telephone1extension" TEXT,
  "msdyn_primarytwitteriddescription" TEXT,
  "msdyn_websiteurldescription" TEXT,
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

CREATE INDEX "accounts_msdyn_vendor" ON "accounts" ("msdyn_vendor");

CREATE INDEX "accounts_msdyn_paymentterm" ON "accounts" ("msdyn_paymentterm");

CREATE INDEX "accounts_msdyn_paymentday" ON "accounts" ("msdyn_paymentday");

CREATE INDEX "accounts_msdyn_paymentschedule" ON "accounts" ("msdyn_paymentschedule");

CREATE INDEX "accounts_msdyn_customerpaymentmethod" ON "accounts" ("msdyn_customerpaymentmethod");

CREATE TABLE "contacts" (
  "contactid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  "msdyn_contactpersonid" TEXT COLLATE NOCASE,
  "msdyn_company" TEXT,
  "firstname" TEXT,
  "middlename" TEXT,
  "lastname" TEXT,
  "jobtitle" TEXT,
  "gendercode" INTEGER,
  "familystatuscode" INTEGER,
  "description" TEXT,
  "emailaddress1" TEXT,
  "fax" TEXT,
  "telephone1" TEXT,
  "websiteurl" TEXT,
  "transactioncurrencyid" TEXT,
  "address1_addresstypecode" INTEGER,
  "address1_line1" TEXT,
  "address1_city" TEXT,
  "address1_postalcode" TEXT,
  "address1_postofficebox" TEXT,
  "address1_county" TEXT,
  "address1_stateorprovince" TEXT,
  "address1_country" TEXT,
  "address1_latitude" REAL,
  "address1_longitude" REAL,
  "address2_line1" TEXT,
  "address2_city" TEXT,
  "address2_postalcode" TEXT,
  "address2_county" TEXT,
  "address2_stateorprovince" TEXT,
  "address2_country" TEXT,
  "address2_latitude" REAL,
  "address2_longitude" REAL,
  "address3_line1" TEXT,
  "address3_city" TEXT,
  "address3_postalcode" TEXT,
  "address3_county" TEXT,
  "address3_stateorprovince" TEXT,
  "address3_country" TEXT,
  "address3_latitude" REAL,
  "address3_longitude" REAL,
  "msdyn_sellable" INTEGER NOT NULL DEFAULT (0),
  "msdyn_customergroupid" TEXT,
  "msdyn_identificationnumber" TEXT,
  "msdyn_partycountry" TEXT,
  "msdyn_partystateprovince" TEXT,
  "msdyn_emailaddress1description" TEXT,
  "msdyn_faxdescription" TEXT,
  "msdyn_faxextension" TEXT,
  "msdyn_primaryfacebookid" TEXT,
  "msdyn_primaryfacebookdescription" TEXT,
  "msdyn_primaryinkedinid" TEXT,
  "msdyn_primarylinkedindescrption" TEXT,
  "msdyn_telephone1description" TEXT,
  "msdyn_telephone1extension" TEXT,
  "msdyn_primarytwitterid" TEXT,
  "msdyn_primarytwitteriddescription" TEXT,
  "msdyn_websiteurldescription" TEXT,
  PRIMARY KEY ("contactid"),
  UNIQUE ("msdyn_contactpersonid", "msdyn_company")
);

CREATE INDEX "contacts_msdyn_company" ON "contacts" ("msdyn_company");

CREATE INDEX "contacts_transactioncurrencyid" ON "contacts" ("transactioncurrencyid");

CREATE INDEX "contacts_msdyn_customergroupid" ON "contacts" ("msdyn_customergroupid");

CREATE TABLE "salesorders" (
  "salesorderid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  "ordernumber" TEXT COLLATE NOCASE NOT NULL,
  "name" TEXT,
  "msdyn_owningcompany" TEXT,
  "customerid" TEXT,
  "customeridtype" TEXT,
  "transactioncurrencyid" TEXT,
  "exchangerate" TEXT,
  "paymenttermscode" INTEGER,
  "totalamount" TEXT,
  PRIMARY KEY ("salesorderid"),
  UNIQUE ("ordernumber")
);

CREATE INDEX "salesorders_msdyn_owningcompany" ON "salesorders" ("msdyn_owningcompany");

CREATE INDEX "salesorders_customerid" ON "salesorders" ("customerid");

CREATE INDEX "salesorders_transactioncurrencyid" ON "salesorders" ("transactioncurrencyid");

CREATE TABLE "salesorderdetails" (
  "salesorderdetailid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  "salesorderid" TEXT NOT NULL,
  "sequencenumber" INTEGER NOT NULL,
  "productdescription" TEXT,
  "msdyn_project" TEXT,
  "msdyn_billingmethod" INTEGER,
  PRIMARY KEY ("salesorderdetailid"),
  UNIQUE ("salesorderid", "sequencenumber")
);

CREATE INDEX "salesorderdetails_msdyn_project" ON "salesorderdetails" ("msdyn_project");

CREATE TABLE "msdyn_projectcontractsplitbillingrules" (
  "msdyn_projectcontractsplitbillingruleid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  "msdyn_owningcompany" TEXT,
  "msdyn_salescontract" TEXT NOT NULL,
  "msdyn_customer" TEXT NOT NULL,
  "msdyn_paymentterms" INTEGER,
  PRIMARY KEY ("msdyn_projectcontractsplitbillingruleid"),
  UNIQUE ("msdyn_salescontract", "msdyn_customer")
);

CREATE INDEX "msdyn_projectcontractsplitbillingrules_msdyn_owningcompany" ON "msdyn_projectcontractsplitbillingrules" ("msdyn_owningcompany");

CREATE INDEX "msdyn_projectcontractsplitbillingrules_msdyn_customer" ON "msdyn_projectcontractsplitbillingrules" ("msdyn_customer");

CREATE TABLE "msdyn_projects" (
  "msdyn_projectid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  "msdynce_projectnumber" TEXT COLLATE NOCASE,
  "msdyn_subject" TEXT,
  "msdyn_description" TEXT,
  "msdyn_owningcompany" TEXT,
  "msdyn_salesorderid" TEXT,
  "msdyn_customer" TEXT,
  "msdyn_scheduledstart" TEXT,
  "msdyn_scheduledend" TEXT,
  "msdyn_actualstart" TEXT,
  "msdyn_actualend" TEXT,
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
  "msdyn_parenttask" TEXT,
  PRIMARY KEY ("msdyn_projecttaskid")
);

CREATE INDEX "msdyn_projecttasks_msdyn_project" ON "msdyn_projecttasks" ("msdyn_project");

CREATE INDEX "msdyn_projecttasks_msdyn_parenttask" ON "msdyn_projecttasks" ("msdyn_parenttask");

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

CREATE TABLE "msdyn_contractlinescheduleofvalues" (
  "msdyn_contractlinescheduleofvalueid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  "msdyn_contract" TEXT NOT NULL,
  "msdyn_contractlineid" TEXT NOT NULL,
  "msdyn_name" TEXT,
  "msdyn_amount" TEXT,
  "transactioncurrencyid" TEXT,
  "msdyn_milestonedate" TEXT,
  "msdyn_invoicedate" TEXT,
  "msdyn_invoicestatus" INTEGER NOT NULL DEFAULT (192350000),
  PRIMARY KEY ("msdyn_contractlinescheduleofvalueid")
);

CREATE INDEX "msdyn_contractlinescheduleofvalues_msdyn_contract" ON "msdyn_contractlinescheduleofvalues" ("msdyn_contract");

CREATE INDEX "msdyn_contractlinescheduleofvalues_msdyn_contractlineid" ON "msdyn_contractlinescheduleofvalues" ("msdyn_contractlineid");

CREATE INDEX "msdyn_contractlinescheduleofvalues_transactioncurrencyid" ON "msdyn_contractlinescheduleofvalues" ("transactioncurrencyid");

CREATE TABLE "bookableresourcecategories" (
  "bookableresourcecategoryid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  "msdyn_resourcecategorynumber" TEXT COLLATE NOCASE NOT NULL,
  "name" TEXT,
  PRIMARY KEY ("bookableresourcecategoryid"),
  UNIQUE ("msdyn_resourcecategorynumber")
);

CREATE TABLE "msdyn_transactioncategories" (
  "msdyn_transactioncategoryid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  "msdyn_transactioncategorynumber" TEXT COLLATE NOCASE NOT NULL,
  PRIMARY KEY ("msdyn_transactioncategoryid"),
  UNIQUE ("msdyn_transactioncategorynumber")
);

CREATE TABLE "msdyn_projectvendorinvoices" (
  "msdyn_projectvendorinvoiceid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  "msdyn_owningcompany" TEXT NOT NULL,
  "msdyn_vendorinvoicenumber" TEXT COLLATE NOCASE NOT NULL,
  "msdyn_vendor" TEXT NOT NULL,
  "msdyn_name" TEXT,
  "msdyn_description" TEXT,
  "msdyn_invoicedate" TEXT,
  "transactioncurrencyid" TEXT,
  "msdyn_hasexternalorigin" INTEGER NOT NULL DEFAULT (0),
  PRIMARY KEY ("msdyn_projectvendorinvoiceid"),
  UNIQUE ("msdyn_vendorinvoicenumber", "msdyn_vendor", "msdyn_owningcompany")
);

CREATE INDEX "msdyn_projectvendorinvoices_msdyn_owningcompany" ON "msdyn_projectvendorinvoices" ("msdyn_owningcompany");

CREATE INDEX "msdyn_projectvendorinvoices_msdyn_vendor" ON "msdyn_projectvendorinvoices" ("msdyn_vendor");

CREATE INDEX "msdyn_projectvendorinvoices_transactioncurrencyid" ON "msdyn_projectvendorinvoices" ("transactioncurrencyid");

CREATE TABLE "msdyn_projectvendorinvoicelines" (
  "msdyn_projectvendorinvoicelineid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  "msdyn_externalinvoiceline" TEXT COLLATE NOCASE NOT NULL,
  "msdyn_owningcompany" TEXT,
  "msdyn_vendorinvoice" TEXT NOT NULL,
  "msdyn_project" TEXT,
  "msdyn_transactioncategory" TEXT,
  "msdyn_resourcecategory" TEXT,
  "msdyn_billingtype" INTEGER,
  "msdyn_unit" TEXT,
  "msdyn_quantity" TEXT,
  "msdyn_price" TEXT,
  "transactioncurrencyid" TEXT,
  PRIMARY KEY ("msdyn_projectvendorinvoicelineid"),
  UNIQUE ("msdyn_externalinvoiceline")
);

CREATE INDEX "msdyn_projectvendorinvoicelines_msdyn_owningcompany" ON "msdyn_projectvendorinvoicelines" ("msdyn_owningcompany");

CREATE INDEX "msdyn_projectvendorinvoicelines_msdyn_vendorinvoice" ON "msdyn_projectvendorinvoicelines" ("msdyn_vendorinvoice");

CREATE INDEX "msdyn_projectvendorinvoicelines_msdyn_project" ON "msdyn_projectvendorinvoicelines" ("msdyn_project");

CREATE INDEX "msdyn_projectvendorinvoicelines_msdyn_transactioncategory" ON "msdyn_projectvendorinvoicelines" ("msdyn_transactioncategory");

CREATE INDEX "msdyn_projectvendorinvoicelines_msdyn_resourcecategory" ON "msdyn_projectvendorinvoicelines" ("msdyn_resourcecategory");

CREATE INDEX "msdyn_projectvendorinvoicelines_msdyn_unit" ON "msdyn_projectvendorinvoicelines" ("msdyn_unit");

CREATE INDEX "msdyn_projectvendorinvoicelines_transactioncurrencyid" ON "msdyn_projectvendorinvoicelines" ("transactioncurrencyid");

CREATE TABLE "msdyn_customerinvoices" (
  "msdyn_customerinvoiceid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  "msdyn_owningcompany" TEXT NOT NULL,
  "msdyn_proformainvoicenumber" TEXT COLLATE NOCASE NOT NULL,
  "msdyn_customerinvoicenumber" TEXT,
  "msdyn_customerinvoicedate" TEXT,
  "msdyn_taxamount" TEXT,
  "msdyn_projectinvoicestatus" INTEGER,
  PRIMARY KEY ("msdyn_customerinvoiceid"),
  UNIQUE ("msdyn_proformainvoicenumber", "msdyn_owningcompany")
);

CREATE INDEX "msdyn_customerinvoices_msdyn_owningcompany" ON "msdyn_customerinvoices" ("msdyn_owningcompany");

CREATE TABLE "msdyn_productcolors" (
  "msdyn_productcolorid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  "msdyn_productcolorname" TEXT COLLATE NOCASE NOT NULL,
  PRIMARY KEY ("msdyn_productcolorid"),
  UNIQUE ("msdyn_productcolorname")
);

CREATE TABLE "msdyn_productstyles" (
  "msdyn_productstyleid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  "msdyn_productstyle" TEXT COLLATE NOCASE NOT NULL,
  PRIMARY KEY ("msdyn_productstyleid"),
  UNIQUE ("msdyn_productstyle")
);

CREATE TABLE "msdyn_operationalsites" (
  "msdyn_operationalsiteid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  "msdyn_company" TEXT NOT NULL,
  "msdyn_defaultfinancialdimensionvalue" TEXT,
  "msdyn_defaultinventorystatusid" TEXT,
  "msdyn_isreceivingwarehouseoverrideallowed" INTEGER NOT NULL DEFAULT (0),
  "msdyn_siteid" TEXT COLLATE NOCASE NOT NULL,
  "msdyn_sitename" TEXT,
  "msdyn_taxbranchcode" TEXT,
  "msdyn_fiscalestablishmentid" TEXT,
  "msdyn_isprimaryaddressassigned" INTEGER NOT NULL DEFAULT (0),
  "msdyn_primaryaddresscity" TEXT,
  "msdyn_primaryaddresscountryregionid" TEXT,
  "msdyn_primaryaddresscountyid" TEXT,
  "msdyn_primaryaddressdistrictname" TEXT,
  "msdyn_primaryaddresslatitude" TEXT,
  "msdyn_primaryaddresslocationrole" TEXT,
  "msdyn_primaryaddresslocationsalestaxgroupcode" TEXT,
  "msdyn_primaryaddresslongitude" TEXT,
  "msdyn_primaryaddressstateid" TEXT,
  "msdyn_primaryaddressstreet" TEXT,
  "msdyn_primaryaddresszipcode" TEXT,
  "msdyn_primaryaddressbuildingcompliment" TEXT,
  "msdyn_primaryaddresscityinkana" TEXT,
  "msdyn_primaryaddressstreetinkana" TEXT,
  "msdyn_primaryaddressdescription" TEXT,
  "msdyn_formattedprimaryaddress" TEXT,
  "msdyn_masterplannedusestransferjournal" INTEGER NOT NULL DEFAULT (0),
  "msdyn_primaryaddresspostbox" TEXT,
  "msdyn_primaryaddressstreetnumber" TEXT,
  PRIMARY KEY ("msdyn_operationalsiteid"),
  UNIQUE ("msdyn_siteid", "msdyn_company")
);

CREATE INDEX "msdyn_operationalsites_msdyn_company" ON "msdyn_operationalsites" ("msdyn_company");

CREATE TABLE "msdyn_warehouses" (
  "msdyn_warehouseid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  "msdyn_company" TEXT NOT NULL,
  "msdyn_defaultcontainertypeid" TEXT,
  "msdyn_areitemscoverageplannedmanually" INTEGER NOT NULL DEFAULT (0),
  "msdyn_arelaborstandardsallowed" INTEGER NOT NULL DEFAULT (0),
  "msdyn_primaryaddressbuildingcompliment" TEXT,
  "msdyn_primaryaddresspostbox" TEXT,
  "msdyn_primaryaddressstreetnumber" TEXT,
  "msdyn_arewarehouselocationcheckdigitsunique" INTEGER NOT NULL DEFAULT (0),
  "msdyn_inventorycountingreasoncodepolicyname" TEXT,
  "msdyn_externallylocatedwarehousevendoraccountnu" TEXT,
  "msdyn_warehouseworkprocessingpolicyname" TEXT,
  "msdyn_isfallbackwarehouse" INTEGER NOT NULL DEFAULT (0),
  "msdyn_financialnegativestoreinventoryallowed" INTEGER NOT NULL DEFAULT (0),
  "msdyn_palletmovementduringcyclecountingallowed" INTEGER NOT NULL DEFAULT (0),
  "msdyn_physicalnegativestoreinventoryallowed" INTEGER NOT NULL DEFAULT (0),
  "msdyn_isrefilledfrommainwarehouse" INTEGER NOT NULL DEFAULT (0),
  "msdyn_isretailstorewarehouse" INTEGER NOT NULL DEFAULT (0),
  "msdyn_mainrefillingwarehouse" TEXT,
  "msdyn_masterplanningworkcalendarid" TEXT,
  "msdyn_maximumbatchpickinglistquantity" TEXT,
  "msdyn_maximumpickinglistlinequantity" TEXT,
  "msdyn_operationalsite" TEXT,
  "msdyn_quarantinewarehouse" TEXT,
  "msdyn_storeqtyallocationreplenishmentweight" TEXT,
  "msdyn_shouldwarehouselocationincludeaisleid" INTEGER NOT NULL DEFAULT (0),
  "msdyn_transitwarehouse" TEXT,
  "msdyn_warehouseidentifier" TEXT COLLATE NOCASE NOT NULL,
  "msdyn_name" TEXT,
  "msdyn_warehouselocationidbinidformat" TEXT,
  "msdyn_warehouselocationidrackidformat" TEXT,
  "msdyn_warehouselocationidshelfidformat" TEXT,
  "msdyn_description" TEXT,
  "msdyn_warehousespecificdefaultinventorystatusid" TEXT,
  "msdyn_isprimaryaddressassigned" INTEGER NOT NULL DEFAULT (0),
  "msdyn_primaryaddresscity" TEXT,
  "msdyn_primaryaddresscountryregionid" TEXT,
  "msdyn_primaryaddresscountyid" TEXT,
  "msdyn_primaryaddressdistrictname" TEXT,
  "msdyn_primaryaddresslatitude" TEXT,
  "msdyn_primaryaddresslongitude" TEXT,
  "msdyn_primaryaddresslocationroles" TEXT,
  "msdyn_primaryaddresslocationsalestaxgroupcode" TEXT,
  "msdyn_primaryaddressstateid" TEXT,
  "msdyn_primaryaddressstreet" TEXT,
  "msdyn_primaryaddresszipcode" TEXT,
  "msdyn_externallylocatedwarehousecustomeraccount" TEXT,
  "msdyn_primaryaddresscityinkana" TEXT,
  "msdyn_primaryaddressstreetinkana" TEXT,
  "msdyn_primaryaddressdescription" TEXT,
  "msdyn_useadvancedwarehousemanagementprocesses" INTEGER NOT NULL DEFAULT (0),
  "msdyn_arepickinglistsdeliverymodespecific" INTEGER NOT NULL DEFAULT (0),
  "msdyn_arepickinglistshipmentspecificonly" INTEGER NOT NULL DEFAULT (0),
  "msdyn_formattedprimaryaddress" TEXT,
  "msdyn_printbillofladingbeforeshipconfirmation" INTEGER NOT NULL DEFAULT (0),
  "msdyn_rawmaterialpickinginventoryissuestatus" TEXT,
  "msdyn_willautomaticloadreleaseinventory" INTEGER NOT NULL DEFAULT (0),
  "msdyn_willinventorystatuschangeremoveblocking" INTEGER NOT NULL DEFAULT (0),
  "msdyn_willmanualloadreleasereserveinventory" INTEGER NOT NULL DEFAULT (0),
  "msdyn_willorderreleasingconsolidateshipments" INTEGER NOT NULL DEFAULT (0),
  "msdyn_productionbomsreservewarehouselevel" INTEGER NOT NULL DEFAULT (0),
  "msdyn_shippingcanceldecrementloadquantity" INTEGER NOT NULL DEFAULT (0),
  "msdyn_warehouselocationidincludeblindid" INTEGER NOT NULL DEFAULT (0),
  "msdyn_warehouselocationincluderackidbydefault" INTEGER NOT NULL DEFAULT (0),
  "msdyn_warehouselocationidincludeshelfid" INTEGER NOT NULL DEFAULT (0),
  PRIMARY KEY ("msdyn_warehouseid"),
  UNIQUE ("msdyn_warehouseidentifier", "msdyn_company")
);

CREATE INDEX "msdyn_warehouses_msdyn_company" ON "msdyn_warehouses" ("msdyn_company");

CREATE INDEX "msdyn_warehouses_msdyn_mainrefillingwarehouse" ON "msdyn_warehouses" ("msdyn_mainrefillingwarehouse");

CREATE INDEX "msdyn_warehouses_msdyn_operationalsite" ON "msdyn_warehouses" ("msdyn_operationalsite");

CREATE INDEX "msdyn_warehouses_msdyn_quarantinewarehouse" ON "msdyn_warehouses" ("msdyn_quarantinewarehouse");

CREATE INDEX "msdyn_warehouses_msdyn_transitwarehouse" ON "msdyn_warehouses" ("msdyn_transitwarehouse");

CREATE TABLE "msdyn_producttrackingdimensiongroups" (
  "msdyn_producttrackingdimensiongroupid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  "msdyn_groupname" TEXT COLLATE NOCASE NOT NULL,
  "msdyn_groupdescription" TEXT,
  "msdyn_issnenabledforpcprocess" INTEGER NOT NULL DEFAULT (0),
  "msdyn_isserialnumbercontrolenabled" INTEGER NOT NULL DEFAULT (0),
  "msdyn_isserialnumberenabledforsalesprocess" INTEGER NOT NULL DEFAULT (0),
  "msdyn_isserialnumberactive" INTEGER NOT NULL DEFAULT (0),
  "msdyn_issalespricebyserialnumber" INTEGER NOT NULL DEFAULT (0),
  "msdyn_issalespricebybatchnumber" INTEGER NOT NULL DEFAULT (0),
  "msdyn_ispurchasepricebyserialnumber" INTEGER NOT NULL DEFAULT (0),
  "msdyn_ispurchasepricebybatchnumber" INTEGER NOT NULL DEFAULT (0),
  "msdyn_isprimarystockingenabledforsn" INTEGER NOT NULL DEFAULT (0),
  "msdyn_isprimarystockingenabledforbn" INTEGER NOT NULL DEFAULT (0),
  "msdyn_isphysicalinventoryenabledforsn" INTEGER NOT NULL DEFAULT (0),
  "msdyn_isphysicalinventoryenabledforbn" INTEGER NOT NULL DEFAULT (0),
  "msdyn_isfinancialinventoryenabledforsn" INTEGER NOT NULL DEFAULT (0),
  "msdyn_isfinancialinventoryenabledforbn" INTEGER NOT NULL DEFAULT (0),
  "msdyn_iscoverageplanenabledforserialnumber" INTEGER NOT NULL DEFAULT (0),
  "msdyn_iscoverageplanenabledforbatchnumber" INTEGER NOT NULL DEFAULT (0),
  "msdyn_isblankreceiptallowedforserialnumber" INTEGER NOT NULL DEFAULT (0),
  "msdyn_isblankreceiptallowedforbatchnumber" INTEGER NOT NULL DEFAULT (0),
  "msdyn_isblankissueallowedforserialnumber" INTEGER NOT NULL DEFAULT (0),
  "msdyn_isblankissueallowedforbatchnumber" INTEGER NOT NULL DEFAULT (0),
  "msdyn_isbatchnumberactive" INTEGER NOT NULL DEFAULT (0),
  "msdyn_isinventoryowneractive" INTEGER NOT NULL DEFAULT (0),
  PRIMARY KEY ("msdyn_producttrackingdimensiongroupid"),
  UNIQUE ("msdyn_groupname")
);

CREATE TABLE "msdyn_productdimensiongroups" (
  "msdyn_productdimensiongroupid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  "msdyn_willsalespricesearchuseproductstyle" INTEGER NOT NULL DEFAULT (0),
  "msdyn_willpurchasepricesearchuseproductsize" INTEGER NOT NULL DEFAULT (0),
  "msdyn_willsalespricesearchuseprodconfig" INTEGER NOT NULL DEFAULT (0),
  "msdyn_willsalespricesearchuseproductcolor" INTEGER NOT NULL DEFAULT (0),
  "msdyn_willpurchasepricesearchuseproductstyle" INTEGER NOT NULL DEFAULT (0),
  "msdyn_willpurchpricesearchuseprodconfig" INTEGER NOT NULL DEFAULT (0),
  "msdyn_willpurchpricesearchuseproductcolor" INTEGER NOT NULL DEFAULT (0),
  "msdyn_isproductstyleactive" INTEGER NOT NULL DEFAULT (0),
  "msdyn_isproductsizeactive" INTEGER NOT NULL DEFAULT (0),
  "msdyn_isproductconfigurationactive" INTEGER NOT NULL DEFAULT (0),
  "msdyn_isproductcoloractive" INTEGER NOT NULL DEFAULT (0),
  "msdyn_groupname" TEXT COLLATE NOCASE NOT NULL,
  "msdyn_groupdescription" TEXT,
  "msdyn_productvariantnomenclaturename" TEXT,
  "msdyn_willsalespricesearchuseproductsize" INTEGER NOT NULL DEFAULT (0),
  PRIMARY KEY ("msdyn_productdimensiongroupid"),
  UNIQUE ("msdyn_groupname")
);

COMMIT;
