//! Reading a table. The tables are ours and a test reads them all; a line that says nothing is passed over.

use super::{Error, Kind, Member, Model, Operation, Place, Route, Shape, Spelling};

type Words<'a> = &'a [&'static str];

/// The model that a table says.
pub fn parse(table: &'static str) -> Model {
    let mut model = Model::default();
    let mut words: Vec<&'static str> = Vec::new();
    for line in table.lines() {
        if !line.starts_with(' ') {
            statement(&mut model, &words);
            words.clear();
        }
        words.extend(line.split(' ').filter(|word| !word.is_empty()));
    }
    statement(&mut model, &words);
    model
}

fn statement(model: &mut Model, words: Words) {
    match words {
        ["service", name, protocol, json_version, target, version, namespace] => {
            (model.name, model.protocol, model.json_version) = (name, protocol, json_version);
            (model.target, model.version, model.namespace) = (target, version, namespace);
        }
        ["operation", name, input, output, route @ ..] => {
            let (input, output, route) = (there(input), there(output), self::route(route));
            model.operations.insert(name, Operation { name, input, output, route });
        }
        ["error", shape, code, status, sentence] => {
            let status = status.parse().unwrap_or(400);
            model.errors.insert(shape, Error { shape, code, status, sentence: there(sentence).unwrap_or("message") });
        }
        ["list", name, of, item, rest @ ..] => {
            model.shapes.insert(name, Shape::List { of: kind(of), item, flat: rest == ["flat"] });
        }
        ["map", name, of, key, value, rest @ ..] => {
            model.shapes.insert(name, Shape::Map { of: kind(of), key, value, flat: rest == ["flat"] });
        }
        ["structure", name, members @ ..] => {
            model.shapes.insert(name, Shape::Structure(members.iter().filter_map(|word| member(word)).collect()));
        }
        _ => {}
    }
}

fn there(word: &'static str) -> Option<&'static str> {
    (word != "-").then_some(word)
}

fn route(words: Words) -> Option<Route> {
    let [method, path, status] = words else { return None };
    Some(Route { method, path, status: status.parse().unwrap_or(200) })
}

fn member(word: &'static str) -> Option<Member> {
    let (name, rest) = word.split_once('=')?;
    let mut parts = rest.split('|');
    let of = kind(parts.next()?);
    let plain = name.trim_end_matches('!');
    let mut member =
        Member { name: plain, of, required: plain != name, answered: plain, asked: plain, place: Place::Body };
    for part in parts {
        match part.split_once(':')? {
            ("o", name) => member.answered = name,
            ("i", name) => member.asked = name,
            ("u", name) => member.place = Place::Path(name),
            ("q", name) => member.place = Place::Query(name),
            ("h", name) => member.place = Place::Header(name),
            _ => {}
        }
    }
    Some(member)
}

fn kind(word: &'static str) -> Kind {
    match word {
        "s" => Kind::Text,
        "i" => Kind::Integer,
        "f" => Kind::Number,
        "b" => Kind::Flag,
        "x" => Kind::Bytes,
        "d" => Kind::Anything,
        "t" => Kind::Date(Spelling::Protocol),
        "ti" => Kind::Date(Spelling::Iso),
        "tu" => Kind::Date(Spelling::Epoch),
        "tr" => Kind::Date(Spelling::Rfc822),
        name => Kind::Shape(name),
    }
}
