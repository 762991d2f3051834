use super::*;
use crate::MemoryMachine;

/// Run a script as `sh -c` does; code, output, complaints.
fn script(text: &str, machine: &mut MemoryMachine) -> (i32, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let argv = ["sh".to_owned(), "-c".to_owned(), text.to_owned()];
    let code = crate::tool::run(&argv, &mut "in\n".as_bytes(), &mut out, &mut err, machine);
    (code, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

fn out(text: &str) -> String {
    let mut machine = MemoryMachine::new().with_env(&[("NAME", "web  1"), ("EMPTY", "")]);
    script(text, &mut machine).1
}

#[test]
fn words_and_quotes() {
    assert_eq!(out("echo a  b"), "a b\n");
    assert_eq!(out(r#"echo 'a  b' "c  d" e\ f"#), "a  b c  d e f\n");
    assert_eq!(out(r#"echo "$NAME" $NAME '$NAME' ${NAME}x"#), "web  1 web 1 $NAME web 1x\n");
    assert_eq!(out(r#"echo a $EMPTY $NOSUCH "$EMPTY" b"#), "a  b\n");
    assert_eq!(out(r#"echo "a\"b" "\n" cost$ # comment"#), "a\"b \\n cost$\n");
    assert_eq!(out("echo 'a;b' && echo a=b"), "a;b\na=b\n");
}

#[test]
fn sequences_and_conditions() {
    assert_eq!(out("false; echo $?; true && echo yes || echo no; false && echo never || echo no"), "1\nyes\nno\n");
    assert_eq!(out("echo a\necho b;\n\necho c"), "a\nb\nc\n");
    let mut machine = MemoryMachine::new();
    assert_eq!(script("echo a; exit 3; echo b", &mut machine), (3, "a\n".into(), String::new()));
    assert_eq!(script("false", &mut machine).0, 1);
    assert_eq!(script("exec echo a; echo b", &mut machine).1, "a\n");
    assert_eq!(script("", &mut machine).0, 0);
}

#[test]
fn pipes_and_files() {
    let mut machine = MemoryMachine::new();
    assert_eq!(
        script("echo one > /x; echo two >> /x; cat /x | grep -v one | wc -l; cat < /x", &mut machine).1,
        "1\none\ntwo\n"
    );
    assert_eq!(script("echo three > /x && cat /x", &mut machine).1, "three\n");
    assert_eq!(
        script("cat /nosuch 2> /err; cat /err", &mut machine).1,
        "cat: can't open '/nosuch': No such file or directory\n"
    );
    assert_eq!(script("echo lost >&2; echo kept", &mut machine).1, "kept\n");
    assert_eq!(script("cat /nosuch > /both 2>&1; wc -l /both", &mut machine).1, "1 /both\n");
    assert_eq!(script("cat /nosuch 2>&1 | wc -l; echo x > /dev/null; cat /nosuch 2>/dev/null", &mut machine).1, "1\n");
    assert_eq!(script("cat", &mut machine).1, "in\n");
    machine.files.read_only = true;
    assert_eq!(
        script("echo x > /y", &mut machine),
        (1, String::new(), "sh: can't create /y: Read-only file system\n".into())
    );
}

#[test]
fn variables_and_directories() {
    assert_eq!(out("A=1; echo $A; printenv A; export A; printenv A; unset A; echo x$A"), "1\n1\nx\n");
    assert_eq!(out("B=2 printenv B; echo $B"), "2\n\n");
    let mut machine = MemoryMachine::new();
    machine.files.put("/etc/shop/a", "A");
    assert_eq!(script("cd /etc; cd shop; pwd; cat a; cd ..; ls", &mut machine).1, "/etc/shop\nAshop\n");
    let (code, _, err) = script("cd /nosuch", &mut machine);
    assert_eq!((code, err.as_str()), (1, "sh: cd: can't cd to /nosuch: No such file or directory\n"));
}

#[test]
fn what_is_not_supported_is_named() {
    let mut machine = MemoryMachine::new();
    for (text, sign) in [
        ("while true; do echo x; done", "while"),
        ("echo $(date)", "$("),
        ("echo `date`", "`"),
        ("sleep 1 &", "&"),
        ("(echo a)", "("),
        ("echo ${A:-b}", "${A:-b}"),
    ] {
        let (code, out, err) = script(text, &mut machine);
        assert_eq!((code, out.as_str(), err), (2, "", format!("sh: syntax not supported: {sign}\n")), "{text}");
    }
    for text in ["echo 'a", "echo \"a", "| cat", "echo a &&", "echo a || | b", "echo >"] {
        let (code, out, err) = script(text, &mut machine);
        assert!(code == 2 && out.is_empty() && err.starts_with("sh: syntax error"), "{text}: {err}");
    }
    assert_eq!(script("curl x", &mut machine), (127, String::new(), "sh: curl: not found\n".into()));
    assert_eq!(script("/workload serve", &mut machine).0, 127);
    assert_eq!(script("/workload echo x", &mut machine).1, "x\n");
}

#[test]
fn a_person_gets_a_prompt() {
    let mut machine = MemoryMachine::new();
    let (mut output, mut err) = (Vec::new(), Vec::new());
    let mut input = "echo a\ncat\nfor cat\n".as_bytes();
    let mut io = Io::new(&mut input, &mut output, &mut err);
    io.tty = true;
    let code = crate::tool::run_with(&["sh".to_owned()], &mut io, &mut machine);
    assert_eq!(code, 0);
    assert_eq!(String::from_utf8(output).unwrap(), "/ # a\n/ # for cat\n/ # \n", "cat reads what follows it");
}

#[test]
fn a_shell_can_be_fed_line_by_line() {
    let mut machine = MemoryMachine::new();
    machine.user.uid = 10;
    let mut shell = Shell::new(BTreeMap::new());
    let (mut nothing, mut output, mut err) = (std::io::empty(), Vec::new(), Vec::new());
    let mut io = Io::new(&mut nothing, &mut output, &mut err);
    assert_eq!(shell.run("cd /; false", &mut io, &mut machine), Flow::Next);
    assert_eq!((shell.last(), shell.prompt(&machine)), (1, "/ $ ".into()));
    assert_eq!(shell.run("exit", &mut io, &mut machine), Flow::Exit(1));
}

#[test]
fn a_script_is_read_from_a_file() {
    let mut machine = MemoryMachine::new();
    machine.files.put("/tools/install", "# what is needed\necho one\nfalse && echo never\nexit 3\necho two\n");
    let run = |line: &str, machine: &mut MemoryMachine| {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let argv: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let code = crate::tool::run(&argv, &mut std::io::empty(), &mut out, &mut err, machine);
        (code, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    };
    assert_eq!(run("sh /tools/install", &mut machine), (3, "one\n".into(), String::new()));
    assert_eq!(run("sh /no", &mut machine).2, "sh: can't open '/no': No such file or directory\n");
    assert_eq!(run("sh -x", &mut machine).0, SYNTAX);
}
