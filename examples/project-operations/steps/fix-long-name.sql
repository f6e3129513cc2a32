-- dataverse: somebody reads why INV-00203 did not arrive and shortens its name.
UPDATE invoices SET name = 'Distribution centre, phase two', modifiedon = '2026-03-02T11:00:00Z' WHERE invoicenumber = 'INV-00203';
