-- The verified identity (design: second lock). A transaction sets clearance.identity to 'user|expiry|mac'; the functions
-- below check it and resolve what it may see. They belong to clearance_identity, which alone reads the key.

create schema clearance;
grant usage on schema clearance to clearance_identity, clearance_app, clearance_ingest, clearance_sequencer;
grant create on schema clearance to clearance_identity;

-- HMAC-SHA-256 with its two padded keys made once: core sha256() is all that is needed, no extension.
create table clearance.identity_key (
  single boolean primary key default true check (single),
  inner_pad bytea not null check (octet_length(inner_pad) = 64),
  outer_pad bytea not null check (octet_length(outer_pad) = 64)
);
alter table clearance.identity_key owner to clearance_identity;

create function clearance.set_identity_key(key bytea) returns void
language plpgsql security definer set search_path = '' as $$
declare
  i int;
  k bytea := key || decode(repeat('00', 64 - octet_length(key)), 'hex');
  inner_k bytea := k;
  outer_k bytea := k;
begin
  if octet_length(key) <> 32 then raise exception 'the identity key must have 32 bytes'; end if;
  for i in 0..63 loop
    inner_k := set_byte(inner_k, i, get_byte(k, i) # 54);
    outer_k := set_byte(outer_k, i, get_byte(k, i) # 92);
  end loop;
  insert into clearance.identity_key (inner_pad, outer_pad) values (inner_k, outer_k)
  on conflict (single) do update set inner_pad = excluded.inner_pad, outer_pad = excluded.outer_pad;
end $$;

-- The verified user, or null: for an absent, empty, malformed, expired or forged identity, for an unknown user and for
-- one that is not active. Never an error, so that a bad identity cannot be told from an empty database.
create function clearance.caller() returns uuid
language sql stable parallel safe security definer set search_path = '' as $$
  with given as (
    select current_setting('clearance.identity', true) as identity
  ), parsed as materialized (
    select split_part(identity, '|', 1) as user_id, split_part(identity, '|', 2) as expiry,
           split_part(identity, '|', 3) as mac
    from given
    where identity ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\|[0-9]{1,12}\|[0-9a-f]{64}$'
  )
  select u.id
  from parsed p
  cross join clearance.identity_key k
  join public.app_user u on u.id = p.user_id::uuid
  where p.mac = encode(sha256(k.outer_pad || sha256(k.inner_pad || convert_to(p.user_id || '|' || p.expiry, 'UTF8'))), 'hex')
    and p.expiry::bigint > extract(epoch from clock_timestamp())
    and u.active
$$;

-- The scopes that the verified user may read now: decide() of app/acl/rules.py as SQL; a law holds them equal.
create function clearance.visible_scopes() returns int[]
language sql stable parallel safe security definer set search_path = '' as $$
  with recursive me as (
    select u.id, u.clearance from public.app_user u where u.id = clearance.caller()
  ), my_roles as (
    select m.role_id from public.membership m join me on me.id = m.user_id
    union
    select i.inside_id from public.role_inside i join my_roles r on r.role_id = i.role_id
  ), principals as (
    select 'everyone' as kind, '00000000-0000-0000-0000-000000000000'::uuid as id from me
    union all select 'user', me.id from me
    union all select 'role', r.role_id from my_roles r
  ), hits as (
    select g.rule_id, bool_or(g.effect = 'allow') as allowed, bool_or(g.effect = 'deny') as denied
    from public.rule_grant g
    join principals p on p.kind = g.principal_kind and p.id = g.principal_id
    where (g.starts_at is null or g.starts_at <= now()) and (g.ends_at is null or now() < g.ends_at)
    group by g.rule_id
  )
  select coalesce(array_agg(s.id order by s.id), '{}')
  from hits h
  join public.rule r on r.id = h.rule_id
  join public.scope s on s.rule_id = h.rule_id
  where h.allowed and not h.denied and r.label <= (select me.clearance from me)
$$;

create function clearance.caller_may(capability text) returns boolean
language sql stable parallel safe security definer set search_path = '' as $$
  select exists (
    select 1 from public.app_user u where u.id = clearance.caller() and caller_may.capability = any (u.capabilities)
  )
$$;

create function clearance.curated() returns uuid[]
language sql stable parallel safe security definer set search_path = '' as $$
  select coalesce(array_agg(c.collection_id), '{}')
  from public.curator c join public.app_user u on u.id = c.user_id
  where u.id = clearance.caller() and 'curate' = any (u.capabilities)
$$;

grant select on public.app_user, public.role, public.role_inside, public.membership, public.rule, public.rule_grant,
  public.scope, public.curator to clearance_identity;

alter function clearance.set_identity_key(bytea) owner to clearance_identity;
alter function clearance.caller() owner to clearance_identity;
alter function clearance.visible_scopes() owner to clearance_identity;
alter function clearance.caller_may(text) owner to clearance_identity;
alter function clearance.curated() owner to clearance_identity;
revoke create on schema clearance from clearance_identity;

set local role clearance_identity;
revoke execute on all functions in schema clearance from public;
grant execute on function clearance.set_identity_key(bytea) to clearance_owner;
grant execute on function clearance.caller(), clearance.visible_scopes(), clearance.caller_may(text), clearance.curated()
  to clearance_app, clearance_owner;
reset role;
