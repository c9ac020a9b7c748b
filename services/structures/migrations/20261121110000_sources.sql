-- Nothing of its own yet beside the mechanism: the resources live in agregat.
comment on schema structures is 'Structures : entités juridiques, entités géographiques, organisations internes. Legal entities, sites, internal organisations.';
