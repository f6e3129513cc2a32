//! What only PostgreSQL does.

use super::cluster::{self, Cluster, Sql};
use super::*;
use crate::store::conformance::{self, Rig, Typed};

fn open(url: &str, schema: Arc<StoreSchema>) -> PostgresStore {
    PostgresStore::open("s", url, schema, Options::default()).unwrap()
}

fn user_of(url: &str) -> conformance::User {
    let sql = Sql::open(url);
    Box::new(move |text| sql.run(text))
}

const LOOSEN: &str =
    "ALTER TABLE \"Kinds\" ALTER \"Name\" TYPE text, ALTER \"Day\" DROP DEFAULT, ALTER \"Day\" TYPE text";

#[test]
fn conforms() {
    if cluster::left_out() {
        return;
    }
    // Its own: the watch sees whatever is committed on the server.
    let cluster = Cluster::own(&[]);
    conformance::run(&|schema| {
        let url = cluster.database();
        let store = open(&url, schema);
        store.create_tables().unwrap();
        Rig { store: Box::new(store), user: user_of(&url), typed: Some(Typed { loosen: LOOSEN }) }
    });
}
