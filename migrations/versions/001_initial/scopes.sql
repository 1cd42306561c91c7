-- The scopes that the verified user may read: decide() of app/acl/rules.py as SQL; a law holds the two equal.
-- Row-level security of everything with text asks visible_scopes().

grant create on schema clearance to clearance_identity;
set local role clearance_identity;

-- From the rules: the parts with a grant about the caller, the rules that these are parts of, the scopes under those
-- rules. In PL/pgSQL, whose plans outlive the transaction on a pooled connection, and with the roles as an array: the
-- planner cannot know how few roles there are, and with a join it read the grants of everybody. The first two
-- conditions on grants repeat the third in a form that is one plain scan of an index. The third alone takes bitmaps,
-- and a transaction that goes without them would read the grants of everybody else.
create function clearance.resolve_scopes() returns int[]
language plpgsql stable parallel restricted security definer set search_path = '' as $$
declare
  my_id uuid;
  my_clearance smallint;
  my_roles uuid[];
begin
  select u.id, u.clearance into my_id, my_clearance from public.app_user u where u.id = (select clearance.caller());
  if not found then
    return '{}';
  end if;
  my_roles := array(
    with recursive held as (
      select m.role_id from public.membership m
      where m.user_id = my_id and (m.ends_at is null or now() < m.ends_at)
      union
      select i.inside_id from public.role_inside i join held r on r.role_id = i.role_id
    )
    select h.role_id from held h
  );
  return array(
    with hits as (
      select g.rule_id as part_id, g.inherited, bool_or(g.effect = 'allow') as allowed,
        bool_or(g.effect = 'deny') as denied
      from public.rule_grant g
      where g.principal_kind = any ('{everyone,user,role}')
        and g.principal_id = any (my_roles || my_id || '00000000-0000-0000-0000-000000000000'::uuid)
        and (g.principal_kind = 'everyone' and g.principal_id = '00000000-0000-0000-0000-000000000000'
          or g.principal_kind = 'user' and g.principal_id = my_id
          or g.principal_kind = 'role' and g.principal_id = any (my_roles))
        and (g.starts_at is null or g.starts_at <= now()) and (g.ends_at is null or now() < g.ends_at)
      group by g.rule_id, g.inherited
    ), parts as (
      select r.id, r.label, h.allowed, h.denied
      from hits h join public.rule r on coalesce(r.own_id, r.id) = h.part_id where not h.inherited
      union all
      select r.id, r.label, h.allowed, h.denied
      from hits h join public.rule r on r.above_id = h.part_id where h.inherited
    ), rules as (
      select p.id from parts p group by p.id, p.label
      having bool_or(p.allowed) and not bool_or(p.denied) and p.label <= my_clearance
    )
    select s.id from rules r join public.scope s on s.rule_id = r.id order by s.id
  );
end $$;

-- A search asks row-level security a dozen times who sees what. In a read-only transaction of one snapshot the answer
-- cannot change, so it is remembered in a setting of the transaction, under a MAC over the identity, the backend, the
-- moment at which the transaction began, and its snapshot. A value from another transaction does not pass, nor one that
-- somebody else wrote.
create function clearance.scopes_mac(scopes text) returns text
language sql stable parallel restricted security definer set search_path = '' as $$
  select encode(sha256(k.outer_pad || sha256(k.inner_pad || convert_to(concat_ws('|',
      'scopes', current_setting('clearance.identity', true), pg_backend_pid(), extract(epoch from now()),
      pg_current_snapshot(), scopes), 'UTF8'))), 'hex')
  from clearance.identity_key k
$$;

-- Resolves and remembers where nothing can change until the transaction ends; elsewhere it does nothing.
create function clearance.remember_scopes() returns boolean
language plpgsql volatile security definer set search_path = '' as $$
declare
  resolved text;
begin
  if current_setting('transaction_read_only') <> 'on'
      or current_setting('transaction_isolation') not in ('repeatable read', 'serializable') then
    return false;
  end if;
  resolved := clearance.resolve_scopes()::text;
  perform set_config('clearance.scopes', clearance.scopes_mac(resolved) || '|' || resolved, true);
  return true;
end $$;

-- The scopes that the caller may read now: as remembered in this transaction, or from the rules. An identity that has
-- expired since sees nothing any more.
create function clearance.visible_scopes() returns int[]
language plpgsql stable parallel restricted security definer set search_path = '' as $$
declare
  given text := current_setting('clearance.scopes', true);
  kept text;
begin
  if given is not null and given <> '' then
    kept := substr(given, 66);
    if substr(given, 1, 64) = clearance.scopes_mac(kept) and clearance.caller() is not null then
      return kept::int[];
    end if;
  end if;
  return clearance.resolve_scopes();
end $$;

revoke execute on function clearance.scopes_mac(text), clearance.resolve_scopes(), clearance.remember_scopes(),
  clearance.visible_scopes() from public;
grant execute on function clearance.remember_scopes(), clearance.visible_scopes() to clearance_app, clearance_owner;
reset role;
revoke create on schema clearance from clearance_identity;
