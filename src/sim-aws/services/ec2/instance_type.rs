//! The instance types that can be had.

/// What a type offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstanceType {
    pub name: &'static str,
    /// Virtual processors; ECS counts 1,024 units each.
    pub cpus: u32,
    /// MiB.
    pub memory: u32,
    /// Network interfaces; the first is the instance's own, each further one can be a task's.
    pub interfaces: u32,
}

const fn row(name: &'static str, cpus: u32, memory: u32, interfaces: u32) -> InstanceType {
    InstanceType { name, cpus, memory, interfaces }
}

impl InstanceType {
    /// Figures of the EC2 instance type tables.
    pub const ALL: &'static [Self] = &[
        row("c5.large", 2, 4_096, 3),
        row("c5.xlarge", 4, 8_192, 4),
        row("m5.large", 2, 8_192, 3),
        row("m5.xlarge", 4, 16_384, 4),
        row("m6i.large", 2, 8_192, 3),
        row("r5.large", 2, 16_384, 3),
        row("t3.large", 2, 8_192, 3),
        row("t3.medium", 2, 4_096, 3),
        row("t3.micro", 2, 1_024, 2),
        row("t3.nano", 2, 512, 2),
        row("t3.small", 2, 2_048, 3),
        row("t3.xlarge", 4, 16_384, 4),
    ];

    /// MiB that the ECS agent can give to containers: the kernel and the host keep about a fifteenth (a t3.medium registers 3,828 to 3,900).
    pub fn memory_for_containers(self) -> u32 {
        self.memory - self.memory / 15
    }
}

/// A type by its name.
pub fn instance_type(name: &str) -> Option<InstanceType> {
    InstanceType::ALL.iter().find(|it| it.name == name).copied()
}
