-- Inverted lists, packed: one row for a term in a document. Run by clearance_owner after 0005.

-- `entries` holds one 64-bit number, big-endian, for each passage of the document that the term stands in, up to 250 a row
-- (app/indexing/postings.py); a document with more passages than that has several rows for a term. So a question reads
-- an index alone, a row for each document, and the lists of common words are short. There is no primary key: nothing asks
-- for a row by one, and its index would be as large as the lists.
drop table posting;
create table posting (
  term bigint not null,
  document_id bigint not null,
  scope_id integer not null,
  entries bytea not null,
  constraint posting_entries_check check (length(entries) >= 8 and length(entries) <= 2000 and length(entries) % 8 = 0),
  constraint posting_document_id_fkey foreign key (document_id, scope_id) references document (id, scope_id)
    on delete cascade on update cascade
);
-- A row that vacuum has not seen yet costs a look at the table: the default lets a fifth of all rows wait.
alter table posting set (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_vacuum_scale_factor = 0.05);
create index posting_term_scope_id_idx on posting (term, scope_id) include (entries);
create index posting_document_id_idx on posting (document_id);

alter table posting enable row level security;
alter table posting force row level security;
create policy owner_all on posting to clearance_owner using (true) with check (true);
create policy readers on posting for select to clearance_app
  using (scope_id = any ((select clearance.visible_scopes())::int[]));
create policy worker on posting to clearance_ingest using (true) with check (true);
grant select on posting to clearance_app;
grant insert on posting to clearance_ingest;

-- What a passage leaves in the lists goes with it, in the same statement: a version that is replaced takes all rows of its
-- document, a passage alone its own entries.
create function clearance.drop_entries() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  delete from public.posting p
  where p.document_id in (select g.document_id from gone g)
    and not exists (select from public.chunk c where c.document_id = p.document_id);
  if exists (select from public.posting p where p.document_id in (select g.document_id from gone g)) then
    with kept as (
      select p.ctid as place,
             string_agg(substr(p.entries, 8 * n + 1, 8), '' order by n)
               filter (where (substr(p.entries, 8 * n + 1, 8)::bigint >> 25) not in (select g.id from gone g)) as entries
      from public.posting p, generate_series(0, length(p.entries) / 8 - 1) as n
      where p.document_id in (select g.document_id from gone g)
      group by p.ctid
    ), emptied as (
      delete from public.posting p using kept where p.ctid = kept.place and kept.entries is null
    )
    update public.posting p set entries = kept.entries
    from kept
    where p.ctid = kept.place and length(kept.entries) < length(p.entries);
  end if;
  return null;
end $$;
revoke execute on function clearance.drop_entries() from public;
create trigger drop_entries after delete on chunk referencing old table as gone
  for each statement execute function clearance.drop_entries();
