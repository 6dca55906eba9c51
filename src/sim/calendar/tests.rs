use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn at(micros: u64) -> Time {
    Time::from_micros(micros)
}

#[test]
fn at_one_instant_the_class_decides_and_then_the_insertion() {
    let mut calendar = Calendar::new();
    for (micros, class, event) in [(5, 1, 'd'), (5, 0, 'b'), (5, 1, 'e'), (2, 7, 'a'), (5, 0, 'c')] {
        calendar.schedule(at(micros), class, event);
    }
    let order: String = std::iter::from_fn(|| calendar.pop()).map(|(_, event)| event).collect();
    assert_eq!(order, "abcde");
}

#[test]
fn what_is_scheduled_for_the_current_instant_waits_for_earlier_insertions_of_its_class() {
    let mut calendar = Calendar::new();
    calendar.schedule(at(5), 0, 'a');
    calendar.schedule(at(5), 2, 'd');
    calendar.schedule(at(5), 3, 'f');
    assert_eq!(calendar.pop(), Some((at(5), 'a')));
    calendar.schedule(at(5), 2, 'e');
    calendar.schedule(at(5), 1, 'c');
    calendar.schedule(at(5), 0, 'b');
    let order: String = std::iter::from_fn(|| calendar.pop()).map(|(_, event)| event).collect();
    assert_eq!(order, "bcdef");
}

#[test]
fn a_handle_of_the_past_cancels_nothing_even_when_its_slot_is_used_again() {
    let mut calendar = Calendar::new();
    let first = calendar.schedule(at(1), 0, 'a');
    assert_eq!(calendar.pop(), Some((at(1), 'a')));
    let second = calendar.schedule(at(1), 0, 'b');
    assert_eq!(calendar.cancel(first), None);
    assert_eq!(calendar.cancel(second), Some('b'));
    assert_eq!(calendar.cancel(second), None);
    assert_eq!(calendar.pop(), None);
    assert!(calendar.is_empty());
}

#[test]
fn cancelled_events_do_not_pile_up() {
    let mut calendar = Calendar::new();
    for round in 0..100_000u64 {
        let ahead = calendar.schedule(at(10 + round % 7), 0, round);
        let here = calendar.schedule(at(0), 1, round);
        assert!(calendar.cancel(ahead).is_some() && calendar.cancel(here).is_some());
    }
    let keys = calendar.keys.len() + calendar.lanes.iter().map(VecDeque::len).sum::<usize>();
    assert!(keys <= STALE_TOLERATED + 1, "{keys} keys of nothing");
    assert!(calendar.slots.len() <= 2);
    assert_eq!(calendar.peek_time(), None);
}

#[test]
#[should_panic(expected = "already")]
fn the_past_is_closed() {
    let mut calendar = Calendar::new();
    calendar.schedule(at(5), 0, ());
    calendar.pop();
    calendar.schedule(at(4), 0, ());
}

#[derive(Clone, Debug)]
enum Step {
    Schedule { ahead: u64, class: u8 },
    Cancel { pick: usize },
    Pop,
    Peek,
    IsDue { class: u8 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..4u64, 0..8u8).prop_map(|(ahead, class)| Step::Schedule { ahead, class }),
        1 => (0..1000u64, 0..8u8).prop_map(|(ahead, class)| Step::Schedule { ahead, class }),
        3 => any::<usize>().prop_map(|pick| Step::Cancel { pick }),
        2 => Just(Step::Pop),
        1 => Just(Step::Peek),
        2 => (0..8u8).prop_map(|class| Step::IsDue { class }),
    ]
}

proptest! {
    #[test]
    fn it_behaves_like_an_ordered_map(steps in prop::collection::vec(step(), 0..1500)) {
        let mut calendar = Calendar::new();
        let mut model: BTreeMap<(u64, u8, usize), usize> = BTreeMap::new();
        let mut handles = Vec::new();
        let mut now = 0;
        for step in steps {
            match step {
                Step::Schedule { ahead, class } => {
                    let number = handles.len();
                    let key = (now + ahead, class, number);
                    handles.push((calendar.schedule(at(now + ahead), class, number), key));
                    model.insert(key, number);
                }
                Step::Cancel { pick } if !handles.is_empty() => {
                    let (handle, key) = handles[pick % handles.len()];
                    prop_assert_eq!(calendar.cancel(handle), model.remove(&key));
                }
                Step::Cancel { .. } => {}
                Step::Pop => {
                    let expected = model.pop_first().map(|((micros, _, _), number)| (at(micros), number));
                    prop_assert_eq!(calendar.pop(), expected);
                    now = calendar.now().micros();
                }
                Step::Peek => {
                    let expected = model.first_key_value().map(|((micros, _, _), _)| at(*micros));
                    prop_assert_eq!(calendar.peek_time(), expected);
                }
                Step::IsDue { class } => {
                    let expected = model.range(..(now, class + 1, 0)).next().is_some();
                    prop_assert_eq!(calendar.is_due(class), expected);
                }
            }
            prop_assert_eq!(calendar.len(), model.len());
        }
        while let Some(((micros, _, _), number)) = model.pop_first() {
            prop_assert_eq!(calendar.pop(), Some((at(micros), number)));
        }
        prop_assert_eq!(calendar.pop(), None);
    }
}
