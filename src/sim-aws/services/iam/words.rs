//! IAM's refusals, and the checks of names that all its operations share. Sentences as IAM returns them.

use crate::{AwsError, Call, input};

/// 404.
pub fn no_such_entity(sentence: String) -> AwsError {
    AwsError::new("NoSuchEntity", sentence).status(404)
}

/// "The role with name X cannot be found."
pub fn not_found(what: &str, name: &str) -> AwsError {
    no_such_entity(format!("The {what} with name {name} cannot be found."))
}

/// 409.
pub fn exists(sentence: String) -> AwsError {
    AwsError::new("EntityAlreadyExists", sentence).status(409)
}

/// 409: "Cannot delete entity, must detach all policies first."
pub fn conflict(sentence: &str) -> AwsError {
    AwsError::new("DeleteConflict", sentence).status(409)
}

/// 409: "Cannot exceed quota for PoliciesPerRole: 10".
pub fn limit(sentence: String) -> AwsError {
    AwsError::new("LimitExceeded", sentence).status(409)
}

/// 400.
pub fn malformed(sentence: String) -> AwsError {
    AwsError::new("MalformedPolicyDocument", sentence)
}

/// A name of at most `most` letters, as IAM's reference has it for every name.
///
/// # Errors
/// It is missing, too long, or has letters that names do not have.
pub fn name<'a>(call: &'a Call, member: &str, most: usize) -> Result<&'a str, AwsError> {
    let name = input::required(call, member)?;
    let place = member.chars().take(1).flat_map(char::to_lowercase).chain(member.chars().skip(1)).collect::<String>();
    if name.chars().count() > most {
        let rule = format!("Member must have length less than or equal to {most}");
        return Err(input::invalid(
            "iam",
            &format!("Value '{name}' at '{place}' failed to satisfy constraint: {rule}"),
        ));
    }
    if !name.chars().all(|letter| letter.is_ascii_alphanumeric() || "_+=,.@-".contains(letter)) {
        let sentence = format!(
            "The specified value for {place} is invalid. It must contain only alphanumeric characters and/or the following: \
             +=,.@_-"
        );
        return Err(AwsError::new("ValidationError", sentence));
    }
    Ok(name)
}

/// A path, `/` where none is given.
///
/// # Errors
/// It does not begin and end with a slash.
pub fn path(call: &Call) -> Result<String, AwsError> {
    let path = input::text(&call.input, "Path").unwrap_or("/");
    if path.starts_with('/') && path.ends_with('/') && path.len() <= 512 {
        return Ok(path.to_owned());
    }
    let sentence = "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric \
                    characters and/or / characters.";
    Err(AwsError::new("ValidationError", sentence))
}
