-- Changes of writer: who proposed, who approved, how far each one went.
-- Numbers are those of the contract (proto): Canal for writers, EtatTransition for states.

create table transition (
    id          uuid        not null,
    region      text        not null,
    domaine     text        not null check (domaine in ('description', 'capacite')),
    de          int         not null,
    vers        int         not null check (vers in (0, 1, 2)),
    motif       text        not null,
    etat        int         not null check (etat between 1 and 4),
    epoque      bigint      not null default 0,
    proposee_le timestamptz not null,
    gelee_le    timestamptz,
    faite_le    timestamptz,
    annulee_par text,
    annulee_le  timestamptz,
    constraint transition_pkey primary key (id),
    constraint transition_fin_check check ((etat = 3) = (faite_le is not null) and (etat = 4) = (annulee_le is not null))
);
create unique index transition_ouverte_key on transition (region, domaine) where etat in (1, 2);
create index transition_recente_idx on transition (proposee_le desc, id desc);
comment on table transition is 'Changements d''écrivain. Every change of writer ever proposed; rows are never deleted.';
comment on column transition.de is 'Écrivain avant. Writer before (Canal; 0: nobody).';
comment on column transition.vers is 'Écrivain voulu. Writer wanted (Canal; 0: nobody).';
comment on column transition.etat is '1 proposée, 2 en cours, 3 faite, 4 annulée. State (EtatTransition).';
comment on column transition.epoque is 'Époque de départ. Epoch of the lease in force when the second approval was given; nobody writes at the next one, the new writer at the one after.';
comment on column transition.gelee_le is 'Gel acquis. When every owning service had acknowledged that nobody writes; the new writer is installed only after.';
comment on index transition_ouverte_key is 'One open change a region and domain.';

create table approbation (
    transition_id uuid        not null references transition (id),
    rang          int         not null check (rang in (1, 2)),
    nom           text        not null,
    role          text        not null check (role in ('ANS', 'ARS', 'GRADeS')),
    date          timestamptz not null,
    constraint approbation_pkey primary key (transition_id, rang)
);
create unique index approbation_personne_key on approbation (transition_id, lower(regexp_replace(nom, '\s', '', 'g')));
comment on table approbation is 'Approbations nommées. The proposal counts as the first; the second carries the change out.';
comment on index approbation_personne_key is 'Two approvals are two persons.';
