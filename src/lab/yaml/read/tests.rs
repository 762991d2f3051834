//! Reading: what comes out of good files, and what is said of bad ones.

use serde_json::json;

use super::*;

fn good(text: &str) -> Page {
    let (page, problems) = read("x.yaml", text.as_bytes());
    assert!(problems.is_empty(), "{problems:?}");
    page
}

fn bad(text: impl AsRef<[u8]>) -> Vec<String> {
    let (_, problems) = read("x.yaml", text.as_ref());
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn reads_documents_with_places_and_comments() {
    let page = good("# first\na: 1\nb:\n  - x\n  - {c: \"2\"} # second\n---\nd: |\n  text\n---\n");
    assert_eq!(page.documents.len(), 2);
    assert_eq!(page.documents[0].to_value(), json!({"a": 1, "b": ["x", {"c": "2"}]}));
    assert_eq!(page.documents[0].place_of(&["b", "1", "c"]), Place { line: 5, column: 6 });
    assert_eq!(page.documents[0].place_of(&["b", "7", "c"]), Place { line: 3, column: 1 });
    assert_eq!(page.documents[1].to_value(), json!({"d": "text\n"}));
    let comments: Vec<_> = page.comments.iter().map(|comment| (comment.place.line, comment.text.as_str())).collect();
    assert_eq!(comments, [(1, " first"), (5, " second")]);
}

#[test]
fn writes_aliases_out() {
    assert_eq!(good("a: &x {b: 1}\nc: *x\n").documents[0].to_value(), json!({"a": {"b": 1}, "c": {"b": 1}}));
}

#[test]
fn keeps_tagged_text_and_number_keys() {
    assert_eq!(good("8080: !!str 1.5\n").documents[0].to_value(), json!({"8080": "1.5"}));
    assert_eq!(good("\u{feff}a: 1\n").documents[0].to_value(), json!({"a": 1}));
}

#[test]
fn finds_several_problems_in_one_file() {
    assert_eq!(
        bad("a: 1\na: 2\nb: yes\nc: !ruby x\n<<: {d: 1}\n"),
        [
            "x.yaml:2:1: the key `a` stands here twice; line 1 has the first; keep one",
            "x.yaml:3:4: some YAML readers take `yes` for true; write `true`, or \"yes\" for the word",
            "x.yaml:4:10: the tag `!ruby` means nothing here; leave it out; only `!!str`, `!!int`, `!!float`, `!!bool` and `!!null` are read",
            "x.yaml:5:1: `<<` (merge) is not part of YAML 1.2, and readers differ on it; write the keys out",
        ]
    );
}

#[test]
fn refuses_what_cannot_be_read() {
    assert_eq!(bad(b"a: 1\nb: \xff"), ["x.yaml:2:4: this is not UTF-8; save the file as UTF-8 text"]);
    assert_eq!(bad("a:\n\tb: 1\n"), ["x.yaml:2:1: a tab indents this line; YAML allows only blanks there"]);
    assert_eq!(
        bad("a".repeat(FILE_BYTES_MAX + 1)),
        ["x.yaml: the file has 1048577 bytes; 1 MiB is the most that is read"]
    );
    assert!(bad("a: {b: ${c}}\n")[0].ends_with("must stand in quotes"), "{:?}", bad("a: {b: ${c}}\n"));
}

#[test]
fn refuses_bombs() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let below = format!("*a{}, ", level - 1).repeat(9);
        bomb.push_str(&format!("a{level}: &a{level} [{below}]\n"));
    }
    assert!(bad(&bomb)[0].contains("too many values"), "{:?}", bad(&bomb));
    assert_eq!(bad("a: &x [*x]\n"), ["x.yaml:1:8: this alias stands inside what it refers to; write the value out"]);
    assert_eq!(bad("[".repeat(100)).len(), 1);
    let deep: String = (0..80).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    assert_eq!(bad(deep).len(), 1);
    let blocks: String = (0..60).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    let mixed = format!("{blocks}{}{}", " ".repeat(61), "[".repeat(60));
    assert_eq!(bad(mixed).len(), 1);
}
