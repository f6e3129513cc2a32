-- dataverse: the project manager confirms every draft.
UPDATE invoices SET msdyn_projectinvoicestatus = 192350002, modifiedon = '2026-03-02T10:00:00Z'
WHERE msdyn_projectinvoicestatus = 192350000;
