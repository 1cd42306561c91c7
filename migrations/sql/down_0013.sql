-- Undoes key_changes.sql.
drop trigger never_longer on api_key;
drop function clearance.refuse_longer_key();
revoke update (expires_at, label) on api_key from clearance_app;
