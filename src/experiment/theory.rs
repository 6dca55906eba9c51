//! Closed forms of queueing theory that results are held against. Demands have a mean of one second unless said
//! otherwise; rates are per second, times in seconds.

/// The mean wait (in mean demands) of M/M/c at this load per server (0 to 1, both excluded), by Erlang C.
pub fn wait_mmc(servers: u32, load: f64) -> f64 {
    let offered = f64::from(servers) * load;
    // Erlang B by its recursion, which neither overflows nor cancels.
    let blocked =
        (1..=servers).fold(1.0, |blocked, server| offered * blocked / (f64::from(server) + offered * blocked));
    let delayed = blocked / (1.0 - load * (1.0 - blocked));
    delayed / (f64::from(servers) * (1.0 - load))
}

/// The mean response of M/G/1 whose demands have these first two moments, by Pollaczek and Khinchine.
pub fn response_mg1(rate: f64, (first, second): (f64, f64)) -> f64 {
    first + rate * second / (2.0 * (1.0 - rate * first))
}

/// The mean responses of M/M/1 with two classes, the first served first and nobody interrupted (Cobham 1954).
pub fn responses_by_priority(first: f64, second: f64) -> (f64, f64) {
    let residual = first + second;
    let high = residual / (1.0 - first);
    (1.0 + high, 1.0 + high / (1.0 - first - second))
}

/// A server that breaks down so often while it is up, working or not, and is repaired in a time with these two moments.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Breakdowns {
    /// Per second of being up.
    pub rate: f64,
    /// The mean time to repair, and the mean of its square.
    pub repair: (f64, f64),
}

impl Breakdowns {
    /// What breakdowns of an idle server add to the mean response: a task that arrives in such a repair waits for its
    /// rest (the decomposition of Fuhrmann and Cooper 1985).
    fn when_idle(&self) -> f64 {
        self.rate * self.repair.1 / (2.0 * (1.0 + self.rate * self.repair.0))
    }

    /// The mean response of M/G/1 where a task goes on after the repair (Gaver 1962), demands having these moments.
    pub fn response_resumed(&self, rate: f64, (first, second): (f64, f64)) -> f64 {
        let stretch = 1.0 + self.rate * self.repair.0;
        let completion = (first * stretch, second * stretch * stretch + first * self.rate * self.repair.1);
        response_mg1(rate, completion) + self.when_idle()
    }

    /// The mean response of M/D/1 where a task begins anew after the repair.
    pub fn response_restarted(&self, rate: f64, demand: f64) -> f64 {
        response_mg1(rate, self.restarted(demand)) + self.when_idle()
    }

    /// The moments of the time from a task's first start to its end when each breakdown makes it begin anew: a
    /// geometric number of lost attempts with their repairs, then one that lasts.
    fn restarted(&self, demand: f64) -> (f64, f64) {
        let lasts = libm::exp(-self.rate * demand);
        let lost_count = 1.0 / lasts - 1.0;
        let (mean, square) = (1.0 / self.rate, 2.0 / (self.rate * self.rate));
        // Of an attempt that is lost: an exponential time, given that it is below the demand.
        let first = mean - demand * lasts / (1.0 - lasts);
        let second = square - lasts * (demand * demand + 2.0 * demand * mean) / (1.0 - lasts);
        let each = first + self.repair.0;
        let spread = second - first * first + self.repair.1 - self.repair.0 * self.repair.0;
        let whole = lost_count * each + demand;
        (whole, lost_count * spread + lost_count * (1.0 + lost_count) * each * each + whole * whole)
    }
}

/// The mean response of M/M/1 whose server takes this long to begin whenever it was idle (Welch 1964).
pub fn response_set_up(rate: f64, delay: f64) -> f64 {
    response_mg1(rate, (1.0, 2.0)) + (2.0 * delay + rate * delay * delay) / (2.0 * (1.0 + rate * delay))
}

/// How often a second the queue of one resource is created on demand, when it is deleted after it was empty for `idle`.
pub fn creations(rate: f64, load: f64, idle: f64) -> f64 {
    rate * (1.0 - load) * libm::exp(-rate * idle)
}

/// The mean time from a crash to the end of the ttl, when lives are exponential: the ttl less the mean time since the
/// last heartbeat, which was sent a whole number of periods after the worker came.
pub fn detection(ttl: f64, heartbeat: f64, life: f64) -> f64 {
    ttl - (life - heartbeat / libm::expm1(heartbeat / life))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn near(found: f64, tabled: f64) {
        assert!((found - tabled).abs() < 2e-6, "{found} instead of {tabled}");
    }

    #[test]
    fn erlang_c_gives_the_tabled_waits() {
        for (servers, load, wait) in
            [(1, 0.5, 1.0), (2, 0.8, 1.777_778), (4, 0.95, 4.457_095), (8, 0.8, 0.286_028), (64, 0.8, 0.004_379)]
        {
            near(wait_mmc(servers, load), wait);
        }
    }

    #[test]
    fn priorities_keep_the_load_weighted_mean_of_the_waits() {
        let (high, low) = responses_by_priority(0.3, 0.5);
        near(high, 2.142_857);
        near(low, 6.714_286);
        near(0.3 * (high - 1.0) + 0.5 * (low - 1.0), 3.2);
    }

    #[test]
    fn breakdowns_give_the_tabled_responses() {
        let exponential = |rate, mean| Breakdowns { rate, repair: (mean, 2.0 * mean * mean) };
        near(exponential(0.05, 5.0).response_resumed(0.6, (1.0, 2.0)), 9.0);
        near(exponential(0.1, 2.0).response_resumed(0.5, (1.0, 2.0)), 1.916_666_667 / 0.5);
        near(Breakdowns { rate: 0.1, repair: (4.0, 16.0) }.response_resumed(0.5, (1.0, 1.0)), 4.938_095);
        let (first, second) = exponential(0.5, 1.0).restarted(1.0);
        near(first, 1.946_164);
        near(second, 6.764_877);
        near(response_mg1(0.6 / first, (first, second)), 4.553_168);
    }

    #[test]
    fn set_up_churn_and_detection_give_the_tabled_values() {
        near(response_set_up(0.8, 5.0), 8.0);
        near(response_set_up(0.5, 1.0), 2.833_333);
        near(creations(0.1, 0.5, 30.0), 0.002_489_353);
        // Where lives are long it is ttl - heartbeat / 2.
        near(detection(30.0, 10.0, 1e4), 25.000_833);
    }
}
