-- What must be true when everything has settled, computed from Dataverse's invoices, lines and recorded actuals and from
-- what people did in finance, never from what the maps made on the way. Each query gives the rows that differ: `missing`
-- should be there and is not, `unexpected` is there and should not be. No rows = fine.
--
--   ATTACH 'data/dataverse.db' AS dv;  ATTACH 'data/finance.db' AS fin;
--
-- Settled means: the initial sync is done, and after each step the maps have run until nothing moved. The queries hold
-- at every such point: before and after confirming, posting, the late contract and the shortened name (what is not
-- confirmed, has no contract or has too long a name is not expected). Amounts are compared in ten-thousandths, dates and
-- times by their value, not by their text. Every date lies in Copenhagen's winter, so local time is UTC + 1 hour.
--
-- A reader splits this file at the lines `-- name: …`; each part is one statement.

-- name: accounts
WITH expected AS (
  SELECT CUSTOMERACCOUNT, DATAAREAID, ORGANIZATIONNAME, ORGANIZATIONNUMBEROFEMPLOYEES, PRIMARYCONTACTEMAIL, PRIMARYCONTACTPHONE,
    CAST(round(CREDITLIMIT * 10000.0) AS INTEGER), SALESCURRENCYCODE, CUSTOMERGROUPID, DELIVERYADDRESSSTREET, DELIVERYADDRESSCITY,
    DELIVERYADDRESSCOUNTRYREGIONISOCODE, CREDITLIMITISMANDATORY, ISONETIMECUSTOMER, 192350000 + ONHOLDSTATUS, 192350000 + INVOICEADDRESS, 3, 2
  FROM fin.CustomersV3 WHERE PARTYTYPE = 'Organization'),
actual AS (
  SELECT a.accountnumber, c.cdm_companycode, a.name, a.numberofemployees, coalesce(a.emailaddress1, ''), coalesce(a.telephone1, ''),
    CAST(round(a.creditlimit * 10000.0) AS INTEGER), t.isocurrencycode, g.msdyn_groupid, coalesce(a.address1_line1, ''), coalesce(a.address1_city, ''),
    coalesce(a.address1_country, ''), a.msdyn_creditlimitismandatory, a.msdyn_onetimecustomer, a.msdyn_onholdstatus, a.msdyn_invoiceaddress,
    a.customertypecode, a.address1_addresstypecode
  FROM dv.accounts a
  LEFT JOIN dv.cdm_companies c ON c.cdm_companyid = a.msdyn_company
  LEFT JOIN dv.transactioncurrencies t ON t.transactioncurrencyid = a.transactioncurrencyid
  LEFT JOIN dv.msdyn_customergroups g ON g.msdyn_customergroupid = a.msdyn_customergroupid)
SELECT 'missing' AS difference, * FROM (SELECT * FROM expected EXCEPT SELECT * FROM actual)
UNION ALL
SELECT 'unexpected', * FROM (SELECT * FROM actual EXCEPT SELECT * FROM expected);

-- name: proposals
WITH expected AS (
  SELECT c.cdm_companycode, i.invoicenumber, s.ordernumber, a.accountnumber, i.name, t.isocurrencycode, i.msdyn_invoicedate, i.duedate,
    CASE i.paymenttermscode WHEN 1 THEN 'N030' WHEN 2 THEN 'D210' WHEN 3 THEN 'N045' WHEN 4 THEN 'N060' ELSE '' END, coalesce(i.description, '')
  FROM dv.invoices i
  JOIN dv.cdm_companies c ON c.cdm_companyid = i.msdyn_owningcompany
  JOIN dv.salesorders s ON s.salesorderid = i.salesorderid
  JOIN dv.accounts a ON a.accountid = i.customerid
  JOIN dv.transactioncurrencies t ON t.transactioncurrencyid = i.transactioncurrencyid
  WHERE i.msdyn_projectinvoicestatus = 192350002 AND length(i.name) <= 60),
actual AS (
  SELECT DATAAREAID, INVOICEPROPOSALID, PROJECTCONTRACTID, INVOICEACCOUNT, DESCRIPTION, SALESCURRENCY, INVOICEDATE, DUEDATE, TERMSOFPAYMENT,
    coalesce(INVOICEHEADERTEXT, '')
  FROM fin.ProjInvoiceProposals)
SELECT 'missing' AS difference, * FROM (SELECT * FROM expected EXCEPT SELECT * FROM actual)
UNION ALL
SELECT 'unexpected', * FROM (SELECT * FROM actual EXCEPT SELECT * FROM expected);

-- name: actuals
-- What confirmation adds: billed sales for each line, a negative unbilled sales actual for each line that is not a
-- milestone. The origin reference names the line.
WITH line AS (
  SELECT d.*, i.msdyn_owningcompany, i.salesorderid, i.msdyn_accountingdate, u.msdyn_task
  FROM dv.invoicedetails d
  JOIN dv.invoices i ON i.invoiceid = d.invoiceid
  JOIN dv.salesorders s ON s.salesorderid = i.salesorderid
  LEFT JOIN dv.msdyn_actuals u ON u.msdyn_actualid = d.msdyn_unbilledsales
  WHERE i.msdyn_projectinvoicestatus = 192350002),
expected AS (
  SELECT invoicedetailid, 192350006 AS type, 0 AS skipsync, NULL AS adjustment, msdyn_owningcompany, msdyn_transactionclassification, msdyn_billingtype,
    192350002 AS billingstatus, invoicedetailname, invoiceid, salesorderid, msdyn_project, msdyn_task, transactioncurrencyid, uomid,
    CAST(round(quantity * 10000.0) AS INTEGER) AS quantity, CAST(round(priceperunit * 10000.0) AS INTEGER) AS price,
    CAST(round(extendedamount * 10000.0) AS INTEGER) AS amount, datetime(msdyn_transactiondate), datetime(msdyn_accountingdate),
    datetime(actualdeliveryon), msdyn_contractline
  FROM line
  UNION ALL
  SELECT invoicedetailid, 192350005, 1, 192350002, msdyn_owningcompany, msdyn_transactionclassification, msdyn_billingtype,
    192350002, invoicedetailname, invoiceid, salesorderid, msdyn_project, msdyn_task, transactioncurrencyid, uomid,
    -CAST(round(quantity * 10000.0) AS INTEGER), CAST(round(priceperunit * 10000.0) AS INTEGER),
    -CAST(round(extendedamount * 10000.0) AS INTEGER), datetime(msdyn_transactiondate), datetime(msdyn_accountingdate),
    datetime(actualdeliveryon), msdyn_contractline
  FROM line WHERE msdyn_billingmethod = 192350000),
actual AS (
  SELECT msdyn_externaloriginreference, msdyn_transactiontypecode, msdyn_skipsync, msdyn_adjustmentstatus, msdyn_owningcompany,
    msdyn_transactionclassification, msdyn_billingtype, msdyn_billingstatus, msdyn_description, msdyn_invoice, msdyn_salescontract, msdyn_project,
    msdyn_task, transactioncurrencyid, msdyn_unit, CAST(round(msdyn_quantity * 10000.0) AS INTEGER), CAST(round(msdyn_price * 10000.0) AS INTEGER),
    CAST(round(msdyn_amount * 10000.0) AS INTEGER), datetime(msdyn_transactiondate), datetime(msdyn_accountingdate), datetime(msdyn_startdatetime),
    msdyn_valueofsalescontractline
  FROM dv.msdyn_actuals
  WHERE msdyn_externaloriginreference IS NOT NULL)
SELECT 'missing' AS difference, * FROM (SELECT * FROM expected EXCEPT SELECT * FROM actual)
UNION ALL
SELECT 'unexpected', * FROM (SELECT * FROM actual EXCEPT SELECT * FROM expected);

-- name: actuals-once
-- No line has two actuals of one type.
SELECT msdyn_externaloriginreference, msdyn_transactiontypecode, count(*) AS times
FROM dv.msdyn_actuals WHERE msdyn_externaloriginreference IS NOT NULL
GROUP BY 1, 2 HAVING count(*) > 1;

-- name: recorded-actuals
-- What was recorded before confirmation is as it was: nothing came back to it.
SELECT msdyn_actualid, msdyn_vouchernumber, msdyn_accountingamount FROM dv.msdyn_actuals
WHERE msdyn_externaloriginreference IS NULL
  AND (msdyn_vouchernumber IS NOT NULL OR msdyn_accountingamount IS NOT NULL OR msdyn_skipsync <> 0);

-- name: staging
-- Recorded actuals of a type that accounting knows, and billed sales whose proposal is there.
WITH recorded AS (
  SELECT x.cdm_companycode, a.msdyn_actualimportid,
    CASE a.msdyn_transactiontypecode WHEN 192350000 THEN 0 ELSE 1 END AS type, a.msdyn_transactionclassification,
    CASE a.msdyn_billingtype WHEN 192350000 THEN 2 WHEN 192350001 THEN 1 WHEN 192350002 THEN 3 ELSE 4 END AS billingtype,
    p.msdynce_projectnumber, coalesce(k.msdyn_activitynumber, '') AS task, coalesce(s.ordernumber, '') AS contract,
    coalesce(a.msdyn_valueofsalescontractline, '') AS contractline, '' AS proposal, t.isocurrencycode, u.msdyn_symbol,
    CAST(round(a.msdyn_quantity * 10000.0) AS INTEGER) AS quantity, CAST(round(a.msdyn_price * 10000.0) AS INTEGER) AS price,
    CAST(round(a.msdyn_amount * 10000.0) AS INTEGER) AS amount, date(a.msdyn_transactiondate) AS documentdate,
    coalesce(date(a.msdyn_accountingdate, '+1 hour'), '1900-01-01') AS accountingdate, date(a.msdyn_startdatetime, '+1 hour') AS startdate,
    date(a.msdyn_enddatetime, '+1 hour') AS enddate, a.msdyn_description, '' AS origin
  FROM dv.msdyn_actuals a
  JOIN dv.cdm_companies x ON x.cdm_companyid = a.msdyn_owningcompany
  JOIN dv.msdyn_projects p ON p.msdyn_projectid = a.msdyn_project
  JOIN dv.transactioncurrencies t ON t.transactioncurrencyid = a.transactioncurrencyid
  JOIN dv.uoms u ON u.uomid = a.msdyn_unit
  LEFT JOIN dv.msdyn_projecttasks k ON k.msdyn_projecttaskid = a.msdyn_task
  LEFT JOIN dv.salesorders s ON s.salesorderid = a.msdyn_salescontract
  WHERE a.msdyn_externaloriginreference IS NULL AND a.msdyn_transactiontypecode IN (192350000, 192350005)
    AND (a.msdyn_salescontract IS NULL OR s.salesorderid IS NOT NULL)),
billed AS (
  SELECT x.cdm_companycode, 3 AS type, d.msdyn_transactionclassification,
    CASE d.msdyn_billingtype WHEN 192350000 THEN 2 WHEN 192350001 THEN 1 WHEN 192350002 THEN 3 ELSE 4 END AS billingtype,
    p.msdynce_projectnumber, coalesce(k.msdyn_activitynumber, '') AS task, s.ordernumber, d.msdyn_contractline, i.invoicenumber, t.isocurrencycode, u.msdyn_symbol,
    CAST(round(d.quantity * 10000.0) AS INTEGER) AS quantity, CAST(round(d.priceperunit * 10000.0) AS INTEGER) AS price,
    CAST(round(d.extendedamount * 10000.0) AS INTEGER) AS amount, date(d.msdyn_transactiondate) AS documentdate,
    coalesce(date(i.msdyn_accountingdate, '+1 hour'), '1900-01-01') AS accountingdate, date(d.actualdeliveryon, '+1 hour') AS startdate,
    date(d.actualdeliveryon, '+1 hour') AS enddate, d.invoicedetailname, d.invoicedetailid
  FROM dv.invoicedetails d
  JOIN dv.invoices i ON i.invoiceid = d.invoiceid
  JOIN dv.cdm_companies x ON x.cdm_companyid = i.msdyn_owningcompany
  JOIN dv.salesorders s ON s.salesorderid = i.salesorderid
  JOIN dv.msdyn_projects p ON p.msdyn_projectid = d.msdyn_project
  JOIN dv.transactioncurrencies t ON t.transactioncurrencyid = d.transactioncurrencyid
  JOIN dv.uoms u ON u.uomid = d.uomid
  LEFT JOIN dv.msdyn_actuals o ON o.msdyn_actualid = d.msdyn_unbilledsales
  LEFT JOIN dv.msdyn_projecttasks k ON k.msdyn_projecttaskid = o.msdyn_task
  WHERE i.msdyn_projectinvoicestatus = 192350002 AND length(i.name) <= 60),
-- The id of a billed sales actual is the map's to choose: it is checked by `staging-ids`.
expected AS (
  SELECT cdm_companycode, msdyn_actualimportid AS id, type, msdyn_transactionclassification, billingtype, msdynce_projectnumber, task, contract,
    contractline, proposal, isocurrencycode, msdyn_symbol, quantity, price, amount, documentdate, accountingdate, startdate, enddate, msdyn_description, origin
  FROM recorded
  UNION ALL
  SELECT cdm_companycode, '', type, msdyn_transactionclassification, billingtype, msdynce_projectnumber, task, ordernumber,
    msdyn_contractline, invoicenumber, isocurrencycode, msdyn_symbol, quantity, price, amount, documentdate, accountingdate, startdate, enddate,
    invoicedetailname, invoicedetailid
  FROM billed),
actual AS (
  SELECT DATAAREAID, CASE TRANSACTIONTYPE WHEN 3 THEN '' ELSE ACTUALSIMPORTID END, TRANSACTIONTYPE, TRANSACTIONCLASSIFICATION, BILLINGTYPE, PROJECTID,
    coalesce(TASKNUMBER, ''), coalesce(CONTRACTID, ''), coalesce(CONTRACTLINEID, ''), coalesce(INVOICEPROPOSALID, ''), TRANSACTIONCURRENCYID, UNITOFMEASURE,
    CAST(round(QUANTITY * 10000.0) AS INTEGER), CAST(round(UNITPRICE * 10000.0) AS INTEGER), CAST(round(AMOUNT * 10000.0) AS INTEGER), DOCUMENTDATE,
    coalesce(ACCOUNTINGDATE, '1900-01-01'), STARTDATE, ENDDATE, DESCRIPTION, coalesce(EXTERNALORIGINREFERENCE, '')
  FROM fin.ProjActualsImports)
SELECT 'missing' AS difference, * FROM (SELECT * FROM expected EXCEPT SELECT * FROM actual)
UNION ALL
SELECT 'unexpected', * FROM (SELECT * FROM actual EXCEPT SELECT * FROM expected);

-- name: staging-ids
-- Every row in staging is one actual, and that is the one it says; a reversal is never there.
SELECT s.ACTUALSIMPORTID, a.msdyn_actualid, a.msdyn_externaloriginreference, s.EXTERNALORIGINREFERENCE
FROM fin.ProjActualsImports s
LEFT JOIN dv.msdyn_actuals a ON a.msdyn_actualimportid = s.ACTUALSIMPORTID
WHERE a.msdyn_actualid IS NULL OR s.ACTUALID <> a.msdyn_actualid OR a.msdyn_skipsync <> 0
  OR coalesce(a.msdyn_externaloriginreference, '') <> coalesce(s.EXTERNALORIGINREFERENCE, '')
UNION ALL
SELECT EXTERNALORIGINREFERENCE, count(*), NULL, NULL FROM fin.ProjActualsImports
WHERE EXTERNALORIGINREFERENCE <> '' GROUP BY 1 HAVING count(*) > 1;

-- name: connections
WITH expected AS (
  SELECT d.invoicedetailid, d.msdyn_unbilledsales, 192350002, 192350001, 'msdyn_actual', 'msdyn_actual'
  FROM dv.invoicedetails d JOIN dv.invoices i ON i.invoiceid = d.invoiceid
  LEFT JOIN dv.salesorders s ON s.salesorderid = i.salesorderid
  WHERE i.msdyn_projectinvoicestatus = 192350002 AND d.msdyn_unbilledsales IS NOT NULL
    -- A link may stand before the billed actual of an invoice without contract; it cannot be told by its line yet.
    AND s.salesorderid IS NOT NULL),
actual AS (
  SELECT a.msdyn_externaloriginreference, c.msdyn_transaction2, c.msdyn_transaction1role, c.msdyn_transaction2role, c.msdyn_transaction1type,
    c.msdyn_transaction2type
  FROM dv.msdyn_transactionconnections c
  JOIN dv.msdyn_actuals a ON a.msdyn_actualid = c.msdyn_transaction1)
SELECT 'missing' AS difference, * FROM (SELECT * FROM expected EXCEPT SELECT * FROM actual)
UNION ALL
SELECT 'unexpected', * FROM (SELECT * FROM actual EXCEPT SELECT * FROM expected);

-- name: relationships
WITH expected AS (
  SELECT msdyn_transactionconnectionid, msdyn_transaction1, msdyn_transaction1type, msdyn_transaction1role, msdyn_transaction2, msdyn_transaction2type,
    msdyn_transaction2role
  FROM dv.msdyn_transactionconnections),
actual AS (
  SELECT CONNECTIONID, TRANSACTION1ID, TRANSACTION1TYPE, TRANSACTION1ROLE, TRANSACTION2ID, TRANSACTION2TYPE, TRANSACTION2ROLE
  FROM fin.ProjTransactionRelationshipImports)
SELECT 'missing' AS difference, * FROM (SELECT * FROM expected EXCEPT SELECT * FROM actual)
UNION ALL
SELECT 'unexpected', * FROM (SELECT * FROM actual EXCEPT SELECT * FROM expected);

-- name: proposal-lines
-- One line for each line of an invoice whose proposal is there. The line in staging tells which it is.
WITH expected AS (
  SELECT x.cdm_companycode, d.invoicedetailid, i.invoicenumber, p.msdynce_projectnumber,
    CASE d.msdyn_transactionclassification WHEN 192350000 THEN 0 WHEN 192350001 THEN 1 WHEN 192350002 THEN 2 WHEN 192350003 THEN 3 WHEN 192350004 THEN 4 END,
    d.msdyn_contractline, d.invoicedetailname, date(d.msdyn_transactiondate), CAST(round(d.quantity * 10000.0) AS INTEGER),
    CAST(round(d.priceperunit * 10000.0) AS INTEGER), CAST(round(d.extendedamount * 10000.0) AS INTEGER), t.isocurrencycode
  FROM dv.invoicedetails d
  JOIN dv.invoices i ON i.invoiceid = d.invoiceid
  JOIN dv.cdm_companies x ON x.cdm_companyid = i.msdyn_owningcompany
  JOIN dv.salesorders s ON s.salesorderid = i.salesorderid
  JOIN dv.msdyn_projects p ON p.msdyn_projectid = d.msdyn_project
  JOIN dv.transactioncurrencies t ON t.transactioncurrencyid = d.transactioncurrencyid
  WHERE i.msdyn_projectinvoicestatus = 192350002 AND length(i.name) <= 60),
actual AS (
  SELECT l.DATAAREAID, s.EXTERNALORIGINREFERENCE, l.INVOICEPROPOSALID, l.PROJECTID, l.LINETYPE, l.CONTRACTLINEID, l.DESCRIPTION, l.TRANSDATE,
    CAST(round(l.QUANTITY * 10000.0) AS INTEGER), CAST(round(l.SALESPRICE * 10000.0) AS INTEGER), CAST(round(l.LINEAMOUNT * 10000.0) AS INTEGER), l.CURRENCYCODE
  FROM fin.ProjInvoiceProposalLines l
  LEFT JOIN fin.ProjActualsImports s ON s.DATAAREAID = l.DATAAREAID AND s.ACTUALSIMPORTID = l.ACTUALSIMPORTID)
SELECT 'missing' AS difference, * FROM (SELECT * FROM expected EXCEPT SELECT * FROM actual)
UNION ALL
SELECT 'unexpected', * FROM (SELECT * FROM actual EXCEPT SELECT * FROM expected);

-- name: posting-back
-- What posting found out stands on the billed sales actual of each line of a posted proposal, and nowhere else. Amount
-- and tax are worked out here again from the invoice line, rate and tax rule.
WITH posted AS (
  SELECT d.invoicedetailid, replace(i.invoicenumber, 'INV-', 'PRJ') AS voucher,
    (CAST(round(d.extendedamount * 100.0) AS INTEGER) * CAST(round(r.RATE * 10000.0) AS INTEGER) + 5000) / 10000 AS cents,
    CAST(round(r.RATE * 10000.0) AS INTEGER) AS rate,
    CASE x.cdm_companycode WHEN 'USPM' THEN 825 WHEN 'USSI' THEN 600 ELSE 2000 END AS tax
  FROM dv.invoicedetails d
  JOIN dv.invoices i ON i.invoiceid = d.invoiceid
  JOIN dv.cdm_companies x ON x.cdm_companyid = i.msdyn_owningcompany
  JOIN dv.transactioncurrencies t ON t.transactioncurrencyid = i.transactioncurrencyid
  JOIN fin.LegalEntities e ON e.LEGALENTITYID = x.cdm_companycode
  JOIN fin.ExchangeRates r ON r.FROMCURRENCY = t.isocurrencycode AND r.TOCURRENCY = e.ACCOUNTINGCURRENCY
  JOIN fin.ProjInvoiceProposals p ON p.DATAAREAID = x.cdm_companycode AND p.INVOICEPROPOSALID = i.invoicenumber AND p.PROPOSALSTATUS = 2),
expected AS (
  SELECT 'actual' AS place, invoicedetailid, voucher, cents * 100, rate, (cents * tax + 5000) / 10000 * 100 FROM posted
  UNION ALL
  SELECT 'staging', invoicedetailid, voucher, cents * 100, rate, (cents * tax + 5000) / 10000 * 100 FROM posted),
actual AS (
  SELECT 'actual', msdyn_externaloriginreference, msdyn_vouchernumber, CAST(round(msdyn_accountingamount * 10000.0) AS INTEGER),
    CAST(round(msdyn_accountexchangerate * 10000.0) AS INTEGER), CAST(round(msdyn_accountingtaxamount * 10000.0) AS INTEGER)
  FROM dv.msdyn_actuals WHERE msdyn_vouchernumber IS NOT NULL
  UNION ALL
  SELECT 'staging', EXTERNALORIGINREFERENCE, VOUCHERNUMBER, CAST(round(ACCOUNTINGAMOUNT * 10000.0) AS INTEGER),
    CAST(round(EXCHANGERATE * 10000.0) AS INTEGER), CAST(round(SALESTAXAMOUNT * 10000.0) AS INTEGER)
  FROM fin.ProjActualsImports WHERE VOUCHERNUMBER <> '')
SELECT 'missing' AS difference, * FROM (SELECT * FROM expected EXCEPT SELECT * FROM actual)
UNION ALL
SELECT 'unexpected', * FROM (SELECT * FROM actual EXCEPT SELECT * FROM expected);
