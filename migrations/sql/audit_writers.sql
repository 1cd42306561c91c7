-- Who may write what into the log, and that whatever is written can be read, exported and verified for ever. Run by
-- clearance_owner after bound_identity.sql.

-- Which kinds of records a database role writes, and in whose name: the caller's whose identity the transaction carries, or
-- nobody's. A part of ours that acts by itself has one name. Filled from app/db/audit_writers.py whenever the database is
-- brought up to date.
create table clearance.audit_writer (
  role text not null,
  kind text not null,
  acts_for text not null,
  name text,
  constraint audit_writer_pkey primary key (role, kind, acts_for),
  constraint audit_writer_acts_for_check check (acts_for in ('caller', 'nobody'))
);
grant select on clearance.audit_writer to clearance_app, clearance_ingest, clearance_sequencer;

-- The one text of a value, as app/evidence/merkle.py makes it: keys in ASCII and sorted, no spaces, whole numbers up to 2^53 - 1.
-- What has none, or is deeper than `depth`, gives null, or a text that is not the one it came from.
create function clearance.canonical(value jsonb, depth int) returns text
language plpgsql immutable parallel safe set search_path = '' as $$
begin
  if depth <= 0 then
    return null;
  end if;
  case jsonb_typeof(value)
    when 'object' then
      return '{' || coalesce((
        select string_agg(to_json(e.key)::text || ':' || case jsonb_typeof(e.value)
            when 'object' then clearance.canonical(e.value, depth - 1)
            when 'array' then clearance.canonical(e.value, depth - 1)
            when 'number' then case when clearance.is_whole(e.value) then e.value::text end
            else e.value::text end, ',' order by e.key collate "C")
        from jsonb_each(value) as e where e.key !~ '[^\x01-\x7f]'), '') || '}';
    when 'array' then
      return '[' || coalesce((
        select string_agg(case jsonb_typeof(e.value)
            when 'object' then clearance.canonical(e.value, depth - 1)
            when 'array' then clearance.canonical(e.value, depth - 1)
            when 'number' then case when clearance.is_whole(e.value) then e.value::text end
            else e.value::text end, ',' order by e.place)
        from jsonb_array_elements(value) with ordinality as e (value, place)), '') || ']';
    else
      return null;
  end case;
end $$;

create function clearance.is_whole(number jsonb) returns boolean
language sql immutable parallel safe set search_path = '' as $$
  select number::text ~ '^-?[0-9]{1,16}$' and abs(number::numeric) <= 9007199254740991
$$;

-- Whether a record may stand in the log: of bounded size and depth, in canonical form, with the database role that wrote it
-- inside, under the hash. An answer lists the scopes that it was made from, some 40 bytes each.
create function clearance.is_record(body text, kind text, writer text) returns boolean
language plpgsql immutable parallel safe set search_path = '' as $$
declare
  record jsonb;
begin
  if octet_length(body) > (case when kind = 'answer.opened' then 4194304
                                when kind in ('document.indexed', 'document.failed') then 16384 else 262144 end) then
    return false;
  end if;
  record := body::jsonb;
  return coalesce(
    record -> 'writer' = to_jsonb(writer) and record -> 'v' = '2' and clearance.canonical(record, 16) = body, false);
end $$;

-- Null: written before the database noted who writes. These are held to what held then.
alter table audit_leaf add column writer text;
alter table audit_leaf alter column writer set default session_user;
alter table audit_leaf add constraint audit_leaf_record_check
  check (writer is null or clearance.is_record(body, kind, writer)) not valid;
alter table audit_leaf validate constraint audit_leaf_record_check;
revoke execute on function clearance.canonical(jsonb, int), clearance.is_whole(jsonb), clearance.is_record(text, text, text)
  from public;
grant execute on function clearance.canonical(jsonb, int), clearance.is_whole(jsonb), clearance.is_record(text, text, text)
  to clearance_app, clearance_ingest, clearance_sequencer, clearance_backup;

drop policy writers_add on audit_leaf;
create policy callers_add on audit_leaf for insert to clearance_app with check (
  exists (
    select from clearance.audit_writer w
    where w.role = session_user and w.kind = audit_leaf.kind
      and case w.acts_for
        when 'caller' then audit_leaf.actor = (select clearance.signed_caller())
        else audit_leaf.actor is null and (select clearance.signed_caller()) is null
      end));
create policy parts_add on audit_leaf for insert to clearance_ingest, clearance_sequencer with check (
  exists (
    select from clearance.audit_writer w
    where w.role = session_user and w.kind = audit_leaf.kind and w.acts_for = 'nobody'
      and body::jsonb -> 'actor' = jsonb_build_object('user', null, 'name', w.name, 'key', null, 'via', null,
        'address', null)));

-- The key that seals a person's words is made by that person, or with their account.
alter table person_key enable row level security;
alter table person_key force row level security;
create policy owner_all on person_key to clearance_owner using (true) with check (true);
create policy services_read on person_key for select to clearance_app using (true);
create policy callers_add on person_key for insert to clearance_app
  with check (user_id = (select clearance.signed_caller()) or (select clearance.caller_may('administer')));

-- Turns that one process at a time takes. Rows, which nobody can lock who cannot change them: any database role could hold
-- an advisory lock.
create table clearance.turn (
  name text not null,
  constraint turn_pkey primary key (name)
);
insert into clearance.turn (name) values ('audit'), ('fold_volumes');

-- Whether the caller is the one sequencer until the transaction ends. Never waits.
create function clearance.take_audit_turn() returns boolean
language plpgsql volatile security definer set search_path = '' as $$
begin
  perform 1 from clearance.turn where name = 'audit' for update skip locked;
  return found;
end $$;

-- Gives these leaves the next numbers, in this order, and publishes the head over all (RFC 6962 section 2.1). Nobody writes
-- a number or a head by itself: a gap or a wrong root would spoil the log for ever.
create function clearance.place_leaves(leaves uuid[]) returns table (size bigint, root bytea)
language plpgsql volatile security definer set search_path = '' as $$
#variable_conflict use_variable
declare
  first bigint := 0;
  nodes bytea[] := '{}';
  node bytea;
  filled bigint;
  placed bigint;
begin
  perform 1 from clearance.turn t where t.name = 'audit' for update;
  select h.size, h.frontier into first, nodes from public.audit_head h order by h.size desc limit 1;
  first := coalesce(first, 0);
  nodes := coalesce(nodes, '{}');
  insert into public.audit_entry (seq, leaf_id, leaf_hash)
    select first + v.n - 1, l.id, l.leaf_hash
    from unnest(leaves) with ordinality as v (id, n) join public.audit_leaf l on l.id = v.id;
  get diagnostics placed = row_count;
  if placed = 0 or placed <> cardinality(leaves) then
    raise exception 'some of these are no leaves of the log' using errcode = 'integrity_constraint_violation';
  end if;
  size := first;
  for node in select e.leaf_hash from public.audit_entry e where e.seq >= first order by e.seq loop
    filled := size;
    while filled & 1 = 1 loop
      node := sha256('\x01'::bytea || nodes[cardinality(nodes)] || node);
      nodes := trim_array(nodes, 1);
      filled := filled >> 1;
    end loop;
    nodes := array_append(nodes, node);
    size := size + 1;
  end loop;
  root := nodes[cardinality(nodes)];
  for i in reverse cardinality(nodes) - 1 .. 1 loop
    root := sha256('\x01'::bytea || nodes[i] || root);
  end loop;
  insert into public.audit_head (size, root, frontier) values (size, root, nodes);
  return next;
end $$;

drop policy sequencer_add on audit_entry;
drop policy sequencer_add on audit_head;
revoke insert on audit_entry, audit_head from clearance_sequencer;
revoke execute on function clearance.take_audit_turn(), clearance.place_leaves(uuid[]) from public;
grant execute on function clearance.take_audit_turn(), clearance.place_leaves(uuid[]) to clearance_sequencer;

create or replace function clearance.fold_volumes() returns bigint
language plpgsql volatile security definer set search_path = '' as $$
declare
  gone bigint;
begin
  perform 1 from clearance.turn where name = 'fold_volumes' for update skip locked;
  if not found then return 0; end if;
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
