//! Where messages lie while they are on their way: the calendar holds and moves nothing but their place.

/// Where something lies.
#[derive(Clone, Copy)]
pub(super) struct Parcel(u32);

/// Things in places that are used again.
pub(super) struct Parcels<T> {
    places: Vec<Option<T>>,
    free: Vec<Parcel>,
}

impl<T> Default for Parcels<T> {
    fn default() -> Self {
        Parcels { places: Vec::new(), free: Vec::new() }
    }
}

impl<T> Parcels<T> {
    #[inline]
    pub(super) fn put(&mut self, thing: T) -> Parcel {
        if let Some(parcel) = self.free.pop() {
            self.places[parcel.0 as usize] = Some(thing);
            return parcel;
        }
        self.places.push(Some(thing));
        Parcel(u32::try_from(self.places.len() - 1).expect("too many messages are on their way"))
    }

    /// Takes it out, once.
    #[inline]
    pub(super) fn take(&mut self, parcel: Parcel) -> T {
        let thing = self.places[parcel.0 as usize].take().expect("a message is delivered once");
        self.free.push(parcel);
        thing
    }
}
