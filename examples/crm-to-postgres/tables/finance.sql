-- The tables of finance in PostgreSQL, as its owner would make them: names in small letters, keys that do not regard case
-- by an index over lower(…). Where there is nothing, text is '' and a date is 1900-01-01.
BEGIN;
CREATE TABLE legalentities (
  legalentityid varchar(4) NOT NULL DEFAULT '',
  name varchar(60) DEFAULT '',
  accountingcurrency varchar(3) DEFAULT '',
  PRIMARY KEY (legalentityid)
);
CREATE UNIQUE INDEX ON legalentities (lower(legalentityid));
CREATE TABLE currencies (
  currencycode varchar(3) NOT NULL DEFAULT '',
  name varchar(120) DEFAULT '',
  symbol varchar(5) DEFAULT '',
  PRIMARY KEY (currencycode)
);
CREATE UNIQUE INDEX ON currencies (lower(currencycode));
CREATE TABLE exchangerates (
  fromcurrency varchar(3) NOT NULL DEFAULT '',
  tocurrency varchar(3) NOT NULL DEFAULT '',
  startdate date NOT NULL DEFAULT '1900-01-01',
  rate numeric(21,12) NOT NULL,
  PRIMARY KEY (fromcurrency, tocurrency, startdate)
);
CREATE UNIQUE INDEX ON exchangerates (lower(fromcurrency), lower(tocurrency), startdate);
CREATE TABLE customergroups (
  dataareaid varchar(4) NOT NULL DEFAULT '',
  customergroupid varchar(10) NOT NULL DEFAULT '',
  description varchar(60) DEFAULT '',
  PRIMARY KEY (dataareaid, customergroupid)
);
CREATE UNIQUE INDEX ON customergroups (lower(dataareaid), lower(customergroupid));
CREATE TABLE customersv3 (
  dataareaid varchar(4) NOT NULL DEFAULT '',
  customeraccount varchar(20) NOT NULL DEFAULT '',
  partytype varchar(20) DEFAULT '',
  partynumber varchar(40) DEFAULT '',
  organizationname varchar(160) DEFAULT '',
  organizationnumberofemployees bigint,
  languageid varchar(7) DEFAULT '',
  customergroupid varchar(10) DEFAULT '',
  salescurrencycode varchar(3) DEFAULT '',
  invoiceaccount varchar(20) DEFAULT '',
  invoiceaddress integer NOT NULL DEFAULT 0,
  isonetimecustomer integer NOT NULL DEFAULT 0,
  onholdstatus integer NOT NULL DEFAULT 0,
  creditlimitismandatory integer NOT NULL DEFAULT 0,
  creditlimit numeric(19,4),
  creditrating varchar(10) DEFAULT '',
  identificationnumber varchar(50) DEFAULT '',
  taxexemptnumber varchar(20) DEFAULT '',
  contactpersonid varchar(20) DEFAULT '',
  paymentterms varchar(10) DEFAULT '',
  salesmemo varchar(2000) DEFAULT '',
  primarycontactemail varchar(100) DEFAULT '',
  primarycontactphone varchar(50) DEFAULT '',
  primarycontactfax varchar(50) DEFAULT '',
  primarycontacturl varchar(200) DEFAULT '',
  primarycontacttwitter varchar(128) DEFAULT '',
  deliveryaddressstreet varchar(250) DEFAULT '',
  deliveryaddresscity varchar(80) DEFAULT '',
  deliveryaddresszipcode varchar(20) DEFAULT '',
  deliveryaddresscounty varchar(50) DEFAULT '',
  deliveryaddressstate varchar(50) DEFAULT '',
  deliveryaddresscountryregionisocode varchar(80) DEFAULT '',
  invoiceaddressstreet varchar(250) DEFAULT '',
  invoiceaddresscity varchar(80) DEFAULT '',
  invoiceaddresszipcode varchar(20) DEFAULT '',
  invoiceaddresscounty varchar(50) DEFAULT '',
  invoiceaddressstate varchar(50) DEFAULT '',
  invoiceaddresscountryregionisocode varchar(80) DEFAULT '',
  paymenttermsbasedays bigint,
  vendoraccount varchar(20) DEFAULT '',
  paymentmethod varchar(10) DEFAULT '',
  paymentschedule varchar(10) DEFAULT '',
  paymentday varchar(10) DEFAULT '',
  partycountry varchar(80) DEFAULT '',
  partystate varchar(50) DEFAULT '',
  personfirstname varchar(50) DEFAULT '',
  personmiddlename varchar(50) DEFAULT '',
  personlastname varchar(50) DEFAULT '',
  personprofessionaltitle varchar(100) DEFAULT '',
  persongender integer NOT NULL DEFAULT 0,
  personmaritalstatus integer NOT NULL DEFAULT 0,
  primarycontactfacebook varchar(255) DEFAULT '',
  primarycontactlinkedin varchar(255) DEFAULT '',
  primarycontactemaildescription varchar(60) DEFAULT '',
  primarycontactphonedescription varchar(60) DEFAULT '',
  primarycontactphoneextension varchar(10) DEFAULT '',
  primarycontactfaxdescription varchar(60) DEFAULT '',
  primarycontactfaxextension varchar(10) DEFAULT '',
  primarycontacturldescription varchar(60) DEFAULT '',
  primarycontacttwitterdescription varchar(60) DEFAULT '',
  primarycontactfacebookdescription varchar(60) DEFAULT '',
  primarycontactlinkedindescription varchar(60) DEFAULT '',
  addressstreet varchar(250) DEFAULT '',
  addresscity varchar(80) DEFAULT '',
  addresszipcode varchar(20) DEFAULT '',
  addresspostbox varchar(20) DEFAULT '',
  addresscounty varchar(50) DEFAULT '',
  addressstate varchar(50) DEFAULT '',
  addresscountryregionisocode varchar(80) DEFAULT '',
  addresslatitude numeric(12,9),
  addresslongitude numeric(12,9),
  addresslocationroles varchar(100) DEFAULT '',
  deliveryaddresslatitude numeric(12,9),
  deliveryaddresslongitude numeric(12,9),
  invoiceaddresslatitude numeric(12,9),
  invoiceaddresslongitude numeric(12,9),
  PRIMARY KEY (dataareaid, customeraccount)
);
CREATE UNIQUE INDEX ON customersv3 (lower(dataareaid), lower(customeraccount));
CREATE INDEX ON customersv3 (lower(dataareaid), lower(customergroupid));
CREATE INDEX ON customersv3 (lower(dataareaid), lower(salescurrencycode));
CREATE INDEX ON customersv3 (lower(dataareaid), lower(invoiceaccount));
CREATE TABLE projectsv2 (
  dataareaid varchar(4) NOT NULL DEFAULT '',
  projectid varchar(20) NOT NULL DEFAULT '',
  projectname varchar(60) DEFAULT '',
  projectstage integer,
  projectgroupid varchar(20) DEFAULT '',
  customeraccountnumber varchar(20) DEFAULT '',
  projectcontractid varchar(20) DEFAULT '',
  projectedstartdate date DEFAULT '1900-01-01',
  projectedenddate date DEFAULT '1900-01-01',
  actualstartdate date DEFAULT '1900-01-01',
  actualenddate date DEFAULT '1900-01-01',
  salestaxgroupid varchar(20) DEFAULT '',
  dimensiondisplayvalue varchar(500) DEFAULT '',
  PRIMARY KEY (dataareaid, projectid)
);
CREATE UNIQUE INDEX ON projectsv2 (lower(dataareaid), lower(projectid));
CREATE INDEX ON projectsv2 (lower(dataareaid), lower(customeraccountnumber));
CREATE TABLE projectcontractheaders (
  dataareaid varchar(4) NOT NULL DEFAULT '',
  projectcontractid varchar(20) NOT NULL DEFAULT '',
  name varchar(60) DEFAULT '',
  salescurrencycode varchar(3) DEFAULT '',
  customeraccountnumber varchar(20) DEFAULT '',
  termsofpayment varchar(10) DEFAULT '',
  salestaxgroupcode varchar(20) DEFAULT '',
  customerpostingprofileid varchar(20) DEFAULT '',
  defaultledgerdimensiondisplayvalue varchar(500) DEFAULT '',
  PRIMARY KEY (dataareaid, projectcontractid)
);
CREATE UNIQUE INDEX ON projectcontractheaders (lower(dataareaid), lower(projectcontractid));
CREATE INDEX ON projectcontractheaders (lower(dataareaid), lower(salescurrencycode));
CREATE INDEX ON projectcontractheaders (lower(dataareaid), lower(customeraccountnumber));
CREATE TABLE projinvoiceproposals (
  dataareaid varchar(4) NOT NULL DEFAULT '',
  invoiceproposalid varchar(20) NOT NULL DEFAULT '',
  projectcontractid varchar(20) DEFAULT '',
  invoiceaccount varchar(20) DEFAULT '',
  description varchar(60) DEFAULT '',
  salescurrency varchar(3) DEFAULT '',
  invoicedate date DEFAULT '1900-01-01',
  duedate date DEFAULT '1900-01-01',
  termsofpayment varchar(10) DEFAULT '',
  invoiceheadertext text DEFAULT '',
  fundingsourceid varchar(20) DEFAULT '',
  taxgroupid varchar(20) DEFAULT '',
  proposalstatus integer NOT NULL DEFAULT 0,
  invoice varchar(20) DEFAULT '',
  ledgervoucher varchar(20) DEFAULT '',
  exchangerate numeric(21,12),
  billedlines bigint,
  PRIMARY KEY (dataareaid, invoiceproposalid)
);
CREATE UNIQUE INDEX ON projinvoiceproposals (lower(dataareaid), lower(invoiceproposalid));
CREATE INDEX ON projinvoiceproposals (lower(dataareaid), lower(projectcontractid));
CREATE INDEX ON projinvoiceproposals (lower(dataareaid), lower(invoiceaccount));
CREATE INDEX ON projinvoiceproposals (lower(dataareaid), lower(salescurrency));
CREATE TABLE projinvoiceproposallines (
  dataareaid varchar(4) NOT NULL DEFAULT '',
  actualsimportid uuid NOT NULL,
  invoiceproposalid varchar(20) DEFAULT '',
  projectid varchar(20) DEFAULT '',
  linetype integer,
  contractlineid varchar(100) DEFAULT '',
  description varchar(255) DEFAULT '',
  transdate date DEFAULT '1900-01-01',
  quantity numeric(32,16),
  salesprice numeric(32,16),
  lineamount numeric(32,16),
  currencycode varchar(3) DEFAULT '',
  taxgroupid varchar(20) DEFAULT '',
  taxitemgroupid varchar(20) DEFAULT '',
  lineamountmst numeric(20,6),
  taxamountmst numeric(20,6),
  PRIMARY KEY (dataareaid, actualsimportid)
);
CREATE UNIQUE INDEX ON projinvoiceproposallines (lower(dataareaid), actualsimportid);
CREATE INDEX ON projinvoiceproposallines (lower(dataareaid), lower(invoiceproposalid));
CREATE INDEX ON projinvoiceproposallines (lower(dataareaid), lower(projectid));
CREATE INDEX ON projinvoiceproposallines (lower(dataareaid), lower(currencycode));
CREATE TABLE projactualsimports (
  dataareaid varchar(4) NOT NULL DEFAULT '',
  actualsimportid uuid NOT NULL,
  actualid uuid,
  transactiontype integer,
  transactionclassification bigint,
  billingtype integer,
  adjustmentstatus bigint,
  projectid varchar(20) DEFAULT '',
  contractid varchar(20) DEFAULT '',
  contractlineid varchar(100) DEFAULT '',
  tasknumber varchar(20) DEFAULT '',
  invoiceproposalid varchar(20) DEFAULT '',
  transactioncurrencyid varchar(3) DEFAULT '',
  unitofmeasure varchar(10) DEFAULT '',
  quantity numeric(32,16),
  unitprice numeric(32,16),
  amount numeric(32,16),
  documentdate date DEFAULT '1900-01-01',
  accountingdate date DEFAULT '1900-01-01',
  startdate date DEFAULT '1900-01-01',
  enddate date DEFAULT '1900-01-01',
  description varchar(255) DEFAULT '',
  externaldescription varchar(255) DEFAULT '',
  externalreference varchar(60) DEFAULT '',
  externaloriginreference varchar(100) DEFAULT '',
  isjournalized integer DEFAULT 0,
  accountingamount numeric(20,6),
  exchangerate numeric(21,12),
  vouchernumber varchar(20) DEFAULT '',
  salestaxamount numeric(20,6),
  PRIMARY KEY (dataareaid, actualsimportid)
);
CREATE UNIQUE INDEX ON projactualsimports (lower(dataareaid), actualsimportid);
CREATE INDEX ON projactualsimports (lower(dataareaid), lower(projectid));
CREATE INDEX ON projactualsimports (lower(dataareaid), lower(contractid));
CREATE INDEX ON projactualsimports (lower(dataareaid), lower(invoiceproposalid));
CREATE INDEX ON projactualsimports (lower(dataareaid), lower(transactioncurrencyid));
CREATE TABLE projtransactionrelationshipimports (
  connectionid uuid NOT NULL,
  transaction1id uuid,
  transaction1type varchar(100) DEFAULT '',
  transaction1role bigint,
  transaction2id uuid,
  transaction2type varchar(100) DEFAULT '',
  transaction2role bigint,
  PRIMARY KEY (connectionid)
);

COMMIT;
