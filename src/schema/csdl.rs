//! The metadata of an OData service (`$metadata`, CSDL): entity sets as tables, properties as columns, enumerations as
//! choices, navigation with a referential constraint as lookups.

use super::csv::{finish, ty};
use super::write::{NewColumn, NewTable};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::collections::HashMap;

#[derive(Default)]
struct EntityType {
    base: Option<String>,
    key: Vec<String>,
    properties: Vec<Property>,
    navigation: Vec<Navigation>,
}

struct Property {
    name: String,
    ty: String,
    length: Option<String>,
    precision: Option<(u32, u32)>,
    required: bool,
}

#[derive(Default)]
struct Navigation {
    ty: String,
    /// Column here, column there.
    pairs: Vec<(String, String)>,
}

/// Reads the entity sets of a service; what is not understood is said. `only` limits them; none = all.
pub fn csdl(text: &str, only: &[String]) -> Result<(Vec<NewTable>, Vec<String>), String> {
    let mut model = Model::default();
    model.read(text)?;
    let mut doubts = vec![];
    let wanted = |n: &str| only.is_empty() || only.iter().any(|o| o.eq_ignore_ascii_case(n));
    for o in only {
        if !model.sets.iter().any(|(n, _)| n.eq_ignore_ascii_case(o)) {
            doubts.push(format!("the metadata has no entity set `{o}`"));
        }
    }
    let mut tables = vec![];
    for (name, ty) in model.sets.iter().filter(|(n, _)| wanted(n)) {
        match model.table(name, ty, &wanted, &mut doubts) {
            Ok(t) => tables.push(t),
            Err(why) => doubts.push(format!("`{name}`: {why}; left out")),
        }
    }
    if model.sets.is_empty() {
        return Err("the metadata has no entity sets".into());
    }
    Ok((tables, doubts))
}

#[derive(Default)]
struct Model {
    types: HashMap<String, EntityType>,
    enums: HashMap<String, Vec<(String, i64)>>,
    sets: Vec<(String, String)>,
}

fn attribute(e: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = e.attributes().with_checks(false).flatten().find(|a| a.key.local_name().as_ref() == name.as_bytes())?;
    let text = String::from_utf8_lossy(&found.value).into_owned();
    Some(
        text.replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&apos;", "'")
            .replace("&amp;", "&"),
    )
}

impl Model {
    fn read(&mut self, text: &str) -> Result<(), String> {
        let mut reader = Reader::from_str(text);
        let (mut namespace, mut entity, mut members) = (String::new(), String::new(), String::new());
        let mut deep = 0usize;
        loop {
            let at = usize::try_from(reader.buffer_position()).unwrap_or(text.len());
            let line = || text[..at.min(text.len())].matches('\n').count() + 1;
            let event = reader.read_event().map_err(|e| format!("line {}: the XML cannot be read on: {e}", line()))?;
            let (e, empty) = match &event {
                Event::DocType(_) => {
                    return Err(format!("line {}: the XML declares a document type, which is not read", line()));
                }
                Event::Start(e) => {
                    deep += 1;
                    (e, false)
                }
                Event::Empty(e) => (e, true),
                Event::End(e) => {
                    deep = deep.saturating_sub(1);
                    match e.local_name().as_ref() {
                        b"EntityType" => entity.clear(),
                        b"EnumType" => members.clear(),
                        _ => {}
                    }
                    continue;
                }
                Event::Eof if deep > 0 => return Err("the XML breaks off".into()),
                Event::Eof => return Ok(()),
                _ => continue,
            };
            let name = attribute(e, "Name").unwrap_or_default();
            let full = format!("{namespace}.{name}");
            match e.local_name().as_ref() {
                b"Schema" => namespace = attribute(e, "Namespace").unwrap_or_default(),
                b"EntityType" => {
                    let base = attribute(e, "BaseType");
                    self.types.insert(full.clone(), EntityType { base, ..EntityType::default() });
                    entity = if empty { String::new() } else { full };
                }
                b"EnumType" => {
                    self.enums.insert(full.clone(), vec![]);
                    members = if empty { String::new() } else { full };
                }
                b"Member" => {
                    if let Some(list) = self.enums.get_mut(&members) {
                        let next = list.last().map_or(0, |(_, v)| v.saturating_add(1));
                        list.push((name, attribute(e, "Value").and_then(|v| v.parse().ok()).unwrap_or(next)));
                    }
                }
                b"EntitySet" => self.sets.push((name, attribute(e, "EntityType").unwrap_or_default())),
                tag => {
                    let Some(t) = self.types.get_mut(&entity) else { continue };
                    match tag {
                        b"PropertyRef" => t.key.push(name),
                        b"Property" => {
                            let number = |k: &str| attribute(e, k).and_then(|v| v.parse().ok());
                            t.properties.push(Property {
                                name,
                                ty: attribute(e, "Type").unwrap_or_default(),
                                length: attribute(e, "MaxLength"),
                                precision: number("Precision").zip(number("Scale")),
                                required: attribute(e, "Nullable").as_deref() == Some("false"),
                            });
                        }
                        b"NavigationProperty" => t
                            .navigation
                            .push(Navigation { ty: attribute(e, "Type").unwrap_or_default(), pairs: vec![] }),
                        b"ReferentialConstraint" => {
                            if let (Some(n), Some(a), Some(b)) =
                                (t.navigation.last_mut(), attribute(e, "Property"), attribute(e, "ReferencedProperty"))
                            {
                                n.pairs.push((a, b));
                            }
                        }
                        _ => {}
                    }
                }
            }
        }
    }

    /// A type and those it is based on, nearest first.
    fn line(&self, ty: &str) -> Vec<&EntityType> {
        let mut out = vec![];
        let mut at = self.types.get(ty);
        while let Some(t) = at.filter(|_| out.len() < 32) {
            out.push(t);
            at = t.base.as_deref().and_then(|b| self.types.get(b));
        }
        out
    }

    fn table(
        &self,
        name: &str,
        ty: &str,
        wanted: &dyn Fn(&str) -> bool,
        doubts: &mut Vec<String>,
    ) -> Result<NewTable, String> {
        let line = self.line(ty);
        if line.is_empty() {
            return Err(format!("its type `{ty}` is not in the metadata"));
        }
        let mut table = NewTable { name: name.to_string(), ..NewTable::default() };
        let key: Vec<(u32, String)> = line.iter().flat_map(|t| &t.key).zip(1..).map(|(k, n)| (n, k.clone())).collect();
        for p in line.iter().rev().flat_map(|t| &t.properties) {
            if !table.columns.iter().any(|c| c.name == p.name) {
                let mut c = self.column(p, name, doubts);
                c.generated = c.ty == "uuid" && key.len() == 1 && key[0].1 == p.name;
                table.columns.push(c);
            }
        }
        finish(&mut table, key, doubts)?;
        for n in line.iter().flat_map(|t| &t.navigation) {
            let [(column, referred)] = n.pairs.as_slice() else { continue };
            let Some((to, to_ty)) = self.sets.iter().find(|(s, t)| *t == n.ty && wanted(s)) else { continue };
            let to_key: Vec<&String> = self.line(to_ty).iter().flat_map(|t| &t.key).collect();
            if to_key != [referred] {
                continue;
            }
            if let Some(c) = table.columns.iter_mut().find(|c| c.name == *column && c.lookup.is_empty()) {
                c.lookup.push((to.clone(), vec![]));
            }
        }
        Ok(table)
    }

    fn column(&self, p: &Property, table: &str, doubts: &mut Vec<String>) -> NewColumn {
        let mut c = NewColumn { name: p.name.clone(), required: p.required, ..NewColumn::default() };
        if let Some(members) = self.enums.get(&p.ty).filter(|m| !m.is_empty()) {
            c.required = false;
            c.choice.clone_from(members);
            c.by_name = true;
            c.ty = "choice".into();
            return c;
        }
        let (ours, known) = ty(&p.ty, p.length.as_deref().unwrap_or_default());
        // A service fills in 0 where a number that is "not nullable" is not given.
        c.required &= ours == "uuid" || ours.starts_with("text");
        c.ty = ours;
        if let Some((precision, scale)) =
            p.precision.filter(|(p, s)| c.ty == "decimal" && *p >= 1 && *p <= 76 && s <= p)
        {
            c.ty = format!("decimal({precision},{scale})");
        }
        if !known {
            c.comment = Some(format!("type `{}` is not known", p.ty));
            doubts.push(format!("`{table}.{}`: the type `{}` is not known; taken for text", p.name, p.ty));
        }
        c
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const METADATA: &str = r#"<?xml version="1.0"?>
<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>
<Schema Namespace="M" xmlns="http://docs.oasis-open.org/odata/ns/edm">
  <EnumType Name="NoYes"><Member Name="No" Value="0"/><Member Name="Yes" Value="1"/></EnumType>
  <EntityType Name="Base"><Key><PropertyRef Name="id"/></Key><Property Name="id" Type="Edm.Guid" Nullable="false"/></EntityType>
  <EntityType Name="Depot" BaseType="M.Base">
    <Property Name="name" Type="Edm.String" MaxLength="60"/>
    <Property Name="area" Type="Edm.Decimal" Precision="12" Scale="2"/>
    <Property Name="open" Type="M.NoYes"/>
    <Property Name="_parent_value" Type="Edm.Guid"/>
    <NavigationProperty Name="parent" Type="M.Depot"><ReferentialConstraint Property="_parent_value" ReferencedProperty="id"/></NavigationProperty>
    <Property Name="shape" Type="Edm.Geography"/>
  </EntityType>
</Schema>
<Schema Namespace="C"><EntityContainer Name="x"><EntitySet Name="depots" EntityType="M.Depot"/></EntityContainer></Schema>
</edmx:DataServices></edmx:Edmx>"#;

    #[test]
    fn sets_types_and_lookups() {
        let (tables, doubts) = csdl(METADATA, &[]).unwrap();
        let t = &tables[0];
        assert_eq!((t.name.as_str(), t.primary_key.clone()), ("depots", vec!["id".to_string()]));
        let shown: Vec<String> = t.columns.iter().map(|c| format!("{} {}", c.name, c.ty)).collect();
        assert_eq!(
            shown.join(", "),
            "id uuid, name text(60), area decimal(12,2), open choice, _parent_value uuid, shape text"
        );
        assert_eq!(t.columns[4].lookup, [("depots".to_string(), vec![])]);
        assert!(t.columns[0].generated && t.columns[0].required);
        assert_eq!(doubts.len(), 1);
        assert_eq!(csdl(METADATA, &["nothing".into()]).unwrap().1, ["the metadata has no entity set `nothing`"]);
        assert!(csdl(&METADATA[..900], &[]).is_err());
        assert!(csdl("<!DOCTYPE a [<!ENTITY x \"y\">]><a/>", &[]).unwrap_err().contains("document type"));
    }
}
