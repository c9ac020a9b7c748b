create table synchro (
    canal      text        not null,
    cle        text        not null,
    signature  text        not null,
    reussie_le timestamptz not null,
    constraint synchro_pkey primary key (canal)
);
comment on table synchro is 'Ce que la synchronisation a déjà pris de chaque source. What the scheduled synchronisation last took of each source: edition key, what tells the file apart, instant up to which the source is known.';

create table synchro_fenetre (
    canal  text        not null,
    depuis date        not null,
    debut  timestamptz not null,
    etape  int         not null,
    lien   text        not null,
    pages  bigint      not null,
    constraint synchro_fenetre_pkey primary key (canal)
);
comment on table synchro_fenetre is 'Fenêtre de delta en cours. Delta window under way: the link of the next page, kept with the pages so that a crash resumes there.';

create table synchro_page (
    canal  text   not null,
    rang   bigint not null,
    charge bytea  not null,
    constraint synchro_page_pkey primary key (canal, rang),
    constraint synchro_page_fenetre_fkey foreign key (canal) references synchro_fenetre (canal) on delete cascade
);
comment on table synchro_page is 'Pages de la fenêtre en cours, gzip. Pages of the window under way, gzip; gone once loaded.';
