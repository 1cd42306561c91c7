-- What holds for every table and function above. Row-level security binds the owner too (FORCE), so each table has a
-- policy for its owner: without it a back-fill would update no row and say nothing.

do $$
declare
  t regclass;
  f regprocedure;
begin
  -- All tables of ours but two of one row, which hold no text and nobody's data.
  for t in select oid from pg_class
           where relnamespace = 'public'::regnamespace and relkind = 'r' and relname !~ '^procrastinate_'
             and relname not in ('alembic_version', 'policy_epoch', 'index_profile') loop
    execute format('alter table %s enable row level security', t);
    execute format('alter table %s force row level security', t);
    execute format('create policy owner_all on %s to clearance_owner using (true) with check (true)', t);
  end loop;
  -- Those of clearance_identity are closed where they are made.
  for f in select oid from pg_proc
           where pronamespace = 'clearance'::regnamespace and proowner = 'clearance_owner'::regrole loop
    execute format('revoke execute on function %s from public', f);
  end loop;
end $$;
