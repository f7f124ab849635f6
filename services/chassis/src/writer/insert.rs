//! Inserting many rows at a time.

use std::fmt::Write as _;

use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, EntityName, EntityTrait, IdenStatic, Iterable, ModelTrait, Statement,
};

/// How many rows a statement may have. Few sizes are few texts, and so the driver finds each prepared.
const SIZES: [usize; 14] = [256, 96, 64, 48, 32, 24, 16, 12, 8, 6, 4, 3, 2, 1];
/// Both databases bound the parameters of a statement; SQLite's bound is the smaller one.
const MAX_PARAMETERS: usize = 32_000;

/// Inserts rows of one table with as few statements as they need. Values are bound column by column, without the builder,
/// which takes longer than the database does.
pub async fn insert<M: ModelTrait>(db: &impl ConnectionTrait, rows: &[M]) -> Result<(), DbErr> {
    let backend = db.get_database_backend();
    let columns: Vec<_> = <M::Entity as EntityTrait>::Column::iter().collect();
    let names: Vec<_> = columns.iter().map(IdenStatic::as_str).collect();
    let mut rest = rows;
    while !rest.is_empty() {
        let fits = |size: &usize| *size <= rest.len() && size * columns.len() <= MAX_PARAMETERS;
        let (now, later) = rest.split_at(SIZES.into_iter().find(fits).unwrap_or(1));
        let values = now.iter().flat_map(|row| columns.iter().map(|column| row.get(*column)));
        let text = text(backend, M::Entity::default().table_name(), &names, now.len());
        db.execute_raw(Statement::from_sql_and_values(backend, text, values)).await?;
        rest = later;
    }
    Ok(())
}

fn text(backend: DbBackend, table: &str, columns: &[&str], rows: usize) -> String {
    let mut text = format!("INSERT INTO \"{table}\" (\"{}\") VALUES ", columns.join("\", \""));
    let mut parameter = 0;
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..columns.len() {
            text.push_str(if column == 0 { "" } else { ", " });
            parameter += 1;
            match backend {
                // A string takes all that is written to it.
                DbBackend::Postgres => _ = write!(text, "${parameter}"),
                _ => text.push('?'),
            }
        }
        text.push(')');
    }
    text
}

/// Values for an `IN`, the last one repeated up to a power of two, so that the texts of statements are few here too.
pub fn any_of<T: Clone>(mut values: Vec<T>) -> Vec<T> {
    if let Some(last) = values.last().cloned() {
        values.resize(values.len().next_power_of_two(), last);
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_number_their_parameters() {
        let text = |backend| text(backend, "note", &["id", "text"], 2);
        assert_eq!(text(DbBackend::Sqlite), r#"INSERT INTO "note" ("id", "text") VALUES (?, ?), (?, ?)"#);
        assert_eq!(text(DbBackend::Postgres), r#"INSERT INTO "note" ("id", "text") VALUES ($1, $2), ($3, $4)"#);
    }

    #[test]
    fn lists_are_padded_with_what_they_hold() {
        assert_eq!(any_of(vec![1, 2, 3, 4, 5]), [1, 2, 3, 4, 5, 5, 5, 5]);
        assert_eq!(any_of(vec![1]), [1]);
        assert!(any_of(Vec::<i32>::new()).is_empty());
    }
}
