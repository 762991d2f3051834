//! Texts in an image: every file of every layer, paths, configuration and history; plain, as base64, as hex. Pure.

use std::io::{self, Read};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use memchr::memmem::Finder;

use super::content::{Parts, open, plain};

/// So many places are enough to tell.
const PLACES_MAX: usize = 5;

/// Where one of the texts is, in words. Empty: nowhere.
///
/// # Errors
/// As for [`super::content::read`].
pub(super) fn search(archive: &[u8], texts: &[String]) -> io::Result<Vec<String>> {
    let spellings: Vec<Vec<u8>> = texts.iter().flat_map(|text| spellings(text)).collect();
    let finders: Vec<Finder<'_>> = spellings.iter().map(Finder::new).collect();
    let holds = |bytes: &[u8]| finders.iter().any(|finder| finder.find(bytes).is_some());
    let Parts { config, layers } = open(archive)?;
    let mut places = Vec::new();
    if holds(&config) {
        places.push("its configuration or history (`docker history --no-trunc`)".to_owned());
    }
    for layer in &layers {
        for entry in tar::Archive::new(plain(layer)?).entries()? {
            let mut entry = entry?;
            let path = entry.path()?.to_string_lossy().trim_start_matches("./").to_owned();
            let link = entry.link_name_bytes().map(|name| name.into_owned()).unwrap_or_default();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            if holds(path.as_bytes()) || holds(&link) || holds(&bytes) {
                places.push(format!("a layer, in /{path}"));
                if places.len() >= PLACES_MAX {
                    return Ok(places);
                }
            }
        }
    }
    Ok(places)
}

/// A text as it may stand in a file. Base64 has three of them, by where in its groups of three bytes the text begins; what depends on its
/// neighbours is left out.
fn spellings(text: &str) -> Vec<Vec<u8>> {
    let bytes = text.as_bytes();
    let hex = |upper: bool| -> Vec<u8> {
        let digits = bytes.iter().map(|byte| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") });
        digits.collect::<String>().into_bytes()
    };
    let mut all = vec![bytes.to_vec(), hex(false), hex(true)];
    for before in 0..3_usize {
        let padded = [vec![0; before], bytes.to_vec()].concat();
        let coded = STANDARD_NO_PAD.encode(&padded);
        // Characters that hold bits of what stands before, and the last one where it is not full.
        let first = [0, 2, 3].get(before).copied().unwrap_or(0);
        let last = padded.len() * 8 / 6;
        all.extend(coded.get(first..last).map(|part| part.as_bytes().to_vec()));
    }
    all
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    const TOKEN: &str = "tk-4711-abcd";

    fn tar(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut tar = tar::Builder::new(Vec::new());
        for (path, bytes) in entries {
            let mut header = tar::Header::new_gnu();
            header.set_mode(0o644);
            header.set_size(bytes.len() as u64);
            tar.append_data(&mut header, path, *bytes).unwrap();
        }
        tar.into_inner().unwrap()
    }

    fn found(config: &str, layers: &[Vec<u8>]) -> Vec<String> {
        let names: Vec<String> = (0..layers.len()).map(|at| format!("{at}/layer.tar")).collect();
        let manifest = serde_json::json!([{"Config": "c.json", "RepoTags": null, "Layers": names}]).to_string();
        let mut entries: Vec<(&str, &[u8])> =
            vec![("manifest.json", manifest.as_bytes()), ("c.json", config.as_bytes())];
        entries.extend(names.iter().map(String::as_str).zip(layers.iter().map(Vec::as_slice)));
        search(&tar(&entries), &[TOKEN.to_owned()]).unwrap()
    }

    #[test]
    fn a_text_is_found_wherever_it_stands() {
        let line = format!("TOKEN={TOKEN}\n");
        assert_eq!(found("{}", &[tar(&[("app/.env", line.as_bytes())]), tar(&[("app/.wh..env", b"")])]).len(), 1);
        assert!(found("{}", &[tar(&[(TOKEN, b"")])])[0].contains(TOKEN));
        let history = format!(r#"{{"history": [{{"created_by": "|1 TOKEN={TOKEN} /workload"}}]}}"#);
        assert!(found(&history, &[])[0].contains("history"));
        assert!(found("{}", &[tar(&[("app/page", b"season: autumn")])]).is_empty());
    }

    #[test]
    fn base64_is_found_at_every_offset_and_hex_in_both_cases() {
        for before in ["", "a", "ab", "abc"] {
            for after in ["", "\n", "x\n"] {
                let coded = STANDARD.encode(format!("{before}{TOKEN}{after}"));
                assert_eq!(found("{}", &[tar(&[("x", coded.as_bytes())])]).len(), 1, "{before}|{after}: {coded}");
            }
        }
        let hex: String = TOKEN.bytes().map(|byte| format!("{byte:02x}")).collect();
        for hex in [hex.to_uppercase(), hex] {
            assert_eq!(found("{}", &[tar(&[("x", hex.as_bytes())])]).len(), 1);
        }
    }

    #[test]
    fn no_end_of_places_is_told() {
        let names: Vec<String> = (0..20).map(|at| format!("{at}-{TOKEN}")).collect();
        let entries: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
        assert_eq!(found("{}", &[tar(&entries)]).len(), PLACES_MAX);
    }
}
