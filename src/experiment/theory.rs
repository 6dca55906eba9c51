//! Closed forms of queueing theory that results are held against.

/// The mean wait (in mean demands) of M/M/c at this load per server (0 to 1, both excluded), by Erlang C.
pub fn wait_mmc(servers: u32, load: f64) -> f64 {
    let offered = f64::from(servers) * load;
    // Erlang B by its recursion, which neither overflows nor cancels.
    let blocked =
        (1..=servers).fold(1.0, |blocked, server| offered * blocked / (f64::from(server) + offered * blocked));
    let delayed = blocked / (1.0 - load * (1.0 - blocked));
    delayed / (f64::from(servers) * (1.0 - load))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn erlang_c_gives_the_tabled_waits() {
        for (servers, load, wait) in
            [(1, 0.5, 1.0), (2, 0.8, 1.777_778), (4, 0.95, 4.457_095), (8, 0.8, 0.286_028), (64, 0.8, 0.004_379)]
        {
            assert!((wait_mmc(servers, load) - wait).abs() < 1e-6, "{servers} {load}: {}", wait_mmc(servers, load));
        }
    }
}
