//! What a target knows of the session it serves.

use std::{collections::BTreeMap, path::PathBuf};

use breakfix_lab::{
    Document, Platform,
    lab::{Capability, Context},
};
use jiff::Timestamp;

/// One session's place on a target. Plain data, the same at every command.
#[derive(Clone, Debug)]
pub struct Place {
    /// The session's id: the value of every label `breakfix.dev/session`.
    pub session: String,
    /// Which API the lab speaks.
    pub platform: Platform,
    /// The lab's name: the value of every label `breakfix.dev/lab`.
    pub lab: String,
    /// The session's own folder on the learner's machine.
    pub folder: PathBuf,
    /// The lab's own namespace; empty where the platform has none.
    pub namespace: String,
    /// The lab's system, with the session's values filled in.
    pub documents: Vec<Document>,
    /// Every YAML file of the lab's folder that a change may apply, by its path in the folder.
    pub files: BTreeMap<String, Vec<Document>>,
    /// Every other text of the lab's folder by its path: what the learner works on lies below `work/`.
    pub texts: BTreeMap<String, String>,
    /// Image references that the lab needs; all are the workload under another name.
    pub images: Vec<String>,
    /// The zones of the nodes that take ordinary pods, in the order of their names.
    pub zones: Vec<String>,
    /// Further contexts of the learner's kubeconfig.
    pub contexts: Vec<Context>,
    /// What the lab needs a target to be able to do.
    pub requires: Vec<Capability>,
    /// When the session began.
    pub opened: Timestamp,
}

impl Place {
    /// No session's: for looking at a target without a lab.
    pub fn of_nobody(platform: Platform, folder: PathBuf) -> Self {
        Self {
            session: String::new(),
            platform,
            lab: String::new(),
            folder,
            namespace: String::new(),
            documents: Vec::new(),
            files: BTreeMap::new(),
            texts: BTreeMap::new(),
            images: Vec::new(),
            zones: Vec::new(),
            contexts: Vec::new(),
            requires: Vec::new(),
            opened: Timestamp::UNIX_EPOCH,
        }
    }
}
