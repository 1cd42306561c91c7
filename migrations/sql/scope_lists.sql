-- Codes for the scope lists, and how much stands in each scope. Run by clearance_owner after 0004.

-- A code is a function of its vector alone (app/indexing/quantizer.py). `changed` is the transaction that last put the row
-- where it stands: order of numbers is no order of commits, so readers compare it with snapshots.
alter table vector_row add column code bytea;
alter table vector_row add column changed xid8 default pg_current_xact_id() not null;
create index vector_row_changed_idx on vector_row (changed);

create function clearance.note_change() returns trigger
language plpgsql set search_path = '' as $$
begin
  new.changed := pg_current_xact_id();
  return new;
end $$;
revoke execute on function clearance.note_change() from public;
create trigger note_change before update on vector_row for each row
  when (old.scope_id <> new.scope_id or old.code is distinct from new.code)
  execute function clearance.note_change();
alter table vector_row enable always trigger note_change;

-- How many passages stand in a scope and how long they are in all, as sums of what came and went: askers add these up over
-- the scopes they see, instead of counting passages. Writers only add rows, so that nobody waits for anybody.
create table scope_volume (
  id bigint generated always as identity,
  scope_id int not null,
  chunks int not null,
  terms bigint not null,
  constraint scope_volume_pkey primary key (id),
  constraint scope_volume_scope_id_fkey foreign key (scope_id) references scope (id) on delete cascade
);
create index scope_volume_scope_id_idx on scope_volume (scope_id) include (chunks, terms);
alter table scope_volume enable row level security;
alter table scope_volume force row level security;
create policy owner_all on scope_volume to clearance_owner using (true) with check (true);
create policy readers on scope_volume for select to clearance_app
  using (scope_id in (select unnest((select clearance.visible_scopes()))));
grant select on scope_volume to clearance_app;

-- As before, and hashed: `= any` goes through all visible scopes for each row, a thousand of them for some callers. It is
-- no index condition any more; every statement of ours brings that along as the first lock.
drop policy readers on vector_row;
create policy readers on vector_row for select to clearance_app
  using (scope_id in (select unnest((select clearance.visible_scopes()))));

create function clearance.add_volume() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.scope_volume (scope_id, chunks, terms)
  select n.scope_id, count(*), sum(n.terms) from fresh n group by n.scope_id;
  return null;
end $$;
create function clearance.take_volume() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  -- A scope that goes with its passages takes its sums with it.
  insert into public.scope_volume (scope_id, chunks, terms)
  select o.scope_id, -count(*), -sum(o.terms) from stale o
  where exists (select 1 from public.scope s where s.id = o.scope_id)
  group by o.scope_id;
  return null;
end $$;
create function clearance.move_volume() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.scope_volume (scope_id, chunks, terms)
  select m.scope_id, sum(m.chunks), sum(m.terms)
  from (
    select n.scope_id, 1 as chunks, n.terms from fresh n
    union all
    select o.scope_id, -1, -o.terms from stale o
  ) as m
  group by m.scope_id
  having sum(m.chunks) <> 0 or sum(m.terms) <> 0;
  return null;
end $$;
revoke execute on function clearance.add_volume(), clearance.take_volume(), clearance.move_volume() from public;
create trigger add_volume after insert on vector_row referencing new table as fresh
  for each statement execute function clearance.add_volume();
create trigger take_volume after delete on vector_row referencing old table as stale
  for each statement execute function clearance.take_volume();
create trigger move_volume after update on vector_row referencing old table as stale new table as fresh
  for each statement execute function clearance.move_volume();
alter table vector_row enable always trigger add_volume;
alter table vector_row enable always trigger take_volume;
alter table vector_row enable always trigger move_volume;
insert into scope_volume (scope_id, chunks, terms)
  select scope_id, count(*), sum(terms) from vector_row group by scope_id;

-- Puts many small sums of a scope into one; gives how many rows went. What is not committed is not seen, and stays.
create function clearance.fold_volumes() returns bigint
language plpgsql volatile security definer set search_path = '' as $$
declare
  gone bigint;
begin
  if not pg_try_advisory_xact_lock(hashtext('clearance.fold_volumes')) then return 0; end if;
  with many as (
    select scope_id from public.scope_volume group by scope_id having count(*) > 1
  ), taken as (
    delete from public.scope_volume v using many where v.scope_id = many.scope_id returning v.scope_id, v.chunks, v.terms
  ), put as (
    insert into public.scope_volume (scope_id, chunks, terms)
    select scope_id, sum(chunks), sum(terms) from taken group by scope_id
  )
  select count(*) into gone from taken;
  return gone;
end $$;
revoke execute on function clearance.fold_volumes() from public;
grant execute on function clearance.fold_volumes() to clearance_ingest;

grant usage on schema public to clearance_search;
-- The lists are made from codes and numbers of scopes: the one role that reads all of them reads no text and no vector.
create policy search_reads on vector_row for select to clearance_search using (true);
grant select (chunk_id, scope_id, code, changed) on vector_row to clearance_search;
