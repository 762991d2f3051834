//! Where an answer departs from its operation's model: what a client made from that model would not understand, or would miss. For tests.

use serde_json::Value;

use super::model::{self, Kind, Model, Shape};

/// What is wrong with an answer, a line each; nothing if it is as the model says. An operation that the model does not know is wrong as a whole.
pub fn departures(service: &str, operation: &str, answer: &Value) -> Vec<String> {
    let Some((model, found)) = model::of(service).and_then(|model| Some((model, model.operations.get(operation)?)))
    else {
        return vec![format!("{service} has no operation {operation}")];
    };
    let mut wrong = Vec::new();
    match found.output {
        Some(shape) => compare(model, Kind::Shape(shape), answer, operation, &mut wrong),
        None if answer.as_object().is_none_or(|members| !members.is_empty()) && !answer.is_null() => {
            wrong.push(format!("{operation} answers nothing, not {answer}"));
        }
        None => {}
    }
    wrong
}

fn compare(model: &Model, kind: Kind, value: &Value, place: &str, wrong: &mut Vec<String>) {
    let fits = match kind {
        Kind::Text | Kind::Bytes => value.is_string(),
        Kind::Integer => value.is_i64() || value.is_u64(),
        Kind::Number => value.is_number(),
        Kind::Flag => value.is_boolean(),
        Kind::Date(_) => value.is_number(),
        Kind::Anything => true,
        Kind::Shape(name) => return compound(model, name, value, place, wrong),
    };
    if !fits {
        wrong.push(format!("{place} is to be {kind:?}, not {value}"));
    }
}

fn compound(model: &Model, name: &str, value: &Value, place: &str, wrong: &mut Vec<String>) {
    match (model.shapes.get(name), value) {
        (Some(Shape::Structure(members)), Value::Object(given)) => {
            for (name, value) in given.iter().filter(|(_, value)| !value.is_null()) {
                let place = format!("{place}.{name}");
                match members.iter().find(|member| member.name == name) {
                    Some(member) => compare(model, member.of, value, &place, wrong),
                    None => wrong.push(format!("{place} is not in the model")),
                }
            }
            let missing =
                members.iter().filter(|member| member.required && given.get(member.name).is_none_or(Value::is_null));
            wrong.extend(missing.map(|member| format!("{place}.{} is required", member.name)));
        }
        (Some(Shape::List { of, .. }), Value::Array(given)) => {
            given.iter().for_each(|value| compare(model, *of, value, &format!("{place}[]"), wrong));
        }
        (Some(Shape::Map { of, .. }), Value::Object(given)) => {
            given.values().for_each(|value| compare(model, *of, value, &format!("{place}{{}}"), wrong));
        }
        _ => wrong.push(format!("{place} is to be {name}, not {value}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_client_would_not_understand_is_named() {
        let right = json!({"clusters": [{"clusterName": "shop", "runningTasksCount": 1}], "failures": []});
        assert!(departures("ecs", "DescribeClusters", &right).is_empty());
        let wrong = json!({"clusters": [{"name": "shop", "runningTasksCount": "1"}], "failures": {}});
        let said = departures("ecs", "DescribeClusters", &wrong);
        assert_eq!(said.len(), 3, "{said:?}");
        assert_eq!(departures("iam", "GetRole", &json!({})), ["GetRole.Role is required"]);
        assert!(departures("iam", "DeleteRole", &Value::Null).is_empty());
        assert_eq!(departures("iam", "DeleteRole", &json!({"a": 1})).len(), 1);
        assert_eq!(departures("ecs", "Invent", &json!({})).len(), 1);
    }
}
