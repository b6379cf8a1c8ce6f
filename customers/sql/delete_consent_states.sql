-- Delete the consent states of customers without an entry on the ledger.
--
-- ids  uuid[]

DELETE FROM customers_consentstate
 WHERE customer_id = ANY (%(ids)s::uuid[])
