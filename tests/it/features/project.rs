//! A small world as a project on disk, for the real binary.

use crate::cli::{Done, tablemap};
use crate::harness::World;
use std::path::PathBuf;

/// The world's stores, and its maps, as files; the binary runs in them.
pub struct Site {
    pub w: World,
}

impl Site {
    pub fn new(schemas: &[(&str, &str)], maps: &[&str]) -> Site {
        let site = Site { w: World::new(schemas, maps) };
        let mut stores = String::new();
        for (name, text) in schemas {
            site.write(&format!("{name}.schema.yaml"), text);
            stores += &format!("  {name}: {{ kind: sqlite, path: {name}.db, schema: {name}.schema.yaml }}\n");
        }
        for (i, map) in maps.iter().enumerate() {
            site.write(&format!("m{i}.tmap"), map);
        }
        site.write("tablemap.yaml", &format!("name: test\nstores:\n{stores}maps: [\"*.tmap\"]\n"));
        site
    }
    pub fn path(&self, file: &str) -> PathBuf {
        self.w.dir.path().join(file)
    }
    pub fn write(&self, file: &str, text: &str) {
        std::fs::write(self.path(file), text).unwrap();
    }
    pub fn run(&self, args: &[&str]) -> Done {
        let mut all = vec!["-C", self.w.dir.path().to_str().unwrap()];
        all.extend(args);
        tablemap(&all)
    }
    /// Works off what is pending.
    pub fn once(&self) {
        self.run(&["run", "--once"]).says(0, &[]);
    }
}
