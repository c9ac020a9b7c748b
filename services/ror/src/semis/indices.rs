//! Indexes set aside while rows are copied, and made again from what the catalogue says of
//! them: sorting once costs much less than a million insertions at random places.

use sqlx::PgConnection;

/// Five columns of the catalogue, as the query names them.
type Connu = (String, String, String, Option<String>, Option<String>);

/// Statements that make the indexes of some tables again.
pub struct Indices(Vec<String>);

impl Indices {
    /// Drops the indexes of these tables of the present schema, those of their keys included.
    pub async fn deposer(c: &mut PgConnection, tables: &[&str]) -> anyhow::Result<Self> {
        let connus: Vec<Connu> = sqlx::query_as(
            "select t.relname::text, x.relname::text, pg_get_indexdef(i.indexrelid), k.conname::text,
                    pg_get_constraintdef(k.oid)
             from pg_index i
             join pg_class t on t.oid = i.indrelid
             join pg_class x on x.oid = i.indexrelid
             join pg_namespace n on n.oid = t.relnamespace
             left join pg_constraint k on k.conindid = i.indexrelid and k.contype in ('p', 'u')
             where n.nspname = current_schema() and t.relname = any($1)
             order by x.relname",
        )
        .bind(tables)
        .fetch_all(&mut *c)
        .await?;
        let mut refaire = Vec::with_capacity(connus.len());
        for (table, index, definition, contrainte, texte) in connus {
            let oter = match (contrainte, texte) {
                (Some(contrainte), Some(texte)) => {
                    refaire.push(format!("alter table {table} add constraint {contrainte} {texte}"));
                    format!("alter table {table} drop constraint {contrainte}")
                }
                _ => {
                    refaire.push(definition);
                    format!("drop index {index}")
                }
            };
            sqlx::query(sqlx::AssertSqlSafe(oter)).execute(&mut *c).await?;
        }
        Ok(Self(refaire))
    }

    /// Makes them again; a key that two rows share is refused here.
    pub async fn reposer(self, c: &mut PgConnection) -> anyhow::Result<()> {
        for sql in self.0 {
            sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut *c).await?;
        }
        Ok(())
    }
}
