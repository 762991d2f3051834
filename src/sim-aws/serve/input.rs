//! Everything that can be handed to a cloud and change it: what the log on disk is made of.

use std::collections::BTreeSet;

use breakfix_sim::{
    SimTime,
    serve::{
        safely,
        world::{Act, Dated, World},
    },
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{balancer::Visit, probe::Probe};
use crate::{
    AwsError, Call, Cloud,
    services::outage::{self, Outage},
};

/// One input, as it is written down.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Input {
    Call(Call),
    Visit(Visit),
    Probe(Probe),
    ShiftDates(ShiftDates),
    AddImages(AddImages),
    Fail(Fail),
}

impl World for Cloud {
    type Input = Input;

    fn now(&self) -> SimTime {
        self.clock.now()
    }

    fn next_due(&self) -> Option<SimTime> {
        self.queue.next_due()
    }

    fn advance(&mut self, time: SimTime) {
        Cloud::advance(self, time);
    }

    fn today(&self) -> Timestamp {
        self.clock.today()
    }

    fn replay(&mut self, input: &Input) {
        let _ = match input {
            Input::Call(call) => safely::run(self, |cloud| drop(call.act(cloud))),
            Input::Visit(visit) => safely::run(self, |cloud| drop(visit.act(cloud))),
            Input::Probe(probe) => safely::run(self, |cloud| drop(probe.act(cloud))),
            Input::ShiftDates(shift) => safely::run(self, |cloud| shift.act(cloud)),
            Input::Fail(fail) => safely::run(self, |cloud| drop(fail.act(cloud))),
            Input::AddImages(images) => safely::run(self, |cloud| images.act(cloud)),
        };
    }
}

impl Dated for Cloud {
    type Shift = ShiftDates;

    fn shift(seconds: i64) -> ShiftDates {
        ShiftDates { seconds }
    }
}

impl Act<Cloud> for Call {
    type Outcome = Result<Value, AwsError>;

    fn act(&self, cloud: &mut Cloud) -> Self::Outcome {
        cloud.call(self)
    }
}

/// Whether an operation, by its name, changes nothing: then it need not be written down. Operations that get something are not among
/// them: some make what they give (a token, a password), some note that they were asked.
pub fn only_reads(operation: &str) -> bool {
    operation.starts_with("Describe") || operation.starts_with("List") || operation == "GetCallerIdentity"
}

/// Moves the date by whole seconds. Moments are kept as the simulation's own time, so nothing else has to move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShiftDates {
    pub seconds: i64,
}

impl Act<Cloud> for ShiftDates {
    type Outcome = ();

    fn act(&self, cloud: &mut Cloud) {
        cloud.clock.shift_date(self.seconds.saturating_mul(1_000));
    }
}

/// Makes image references known to the registries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddImages {
    pub images: BTreeSet<String>,
}

impl Act<Cloud> for AddImages {
    type Outcome = ();

    fn act(&self, cloud: &mut Cloud) {
        cloud.config.images.extend(self.images.iter().cloned());
    }
}

/// Something of the provider's fails, or does so no longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fail {
    pub outage: Outage,
    pub is_over: bool,
}

impl Act<Cloud> for Fail {
    type Outcome = Result<(), AwsError>;

    fn act(&self, cloud: &mut Cloud) -> Self::Outcome {
        if self.is_over { outage::end(cloud, &self.outage) } else { outage::begin(cloud, &self.outage) }
    }
}

macro_rules! inputs {
    ($($name:ident),*) => {
        $(impl From<$name> for Input {
            fn from(input: $name) -> Self {
                Self::$name(input)
            }
        })*
    };
}
inputs!(Call, Visit, Probe, ShiftDates, AddImages, Fail);
