//! Memory, which is never short here.

use smallvec::SmallVec;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoMemory;

pub trait TryPush<T> {
    fn try_push(&mut self, item: T) -> Result<(), NoMemory>;
}

impl<T> TryPush<T> for Vec<T> {
    fn try_push(&mut self, item: T) -> Result<(), NoMemory> {
        self.push(item);
        Ok(())
    }
}

impl<A: smallvec::Array> TryPush<A::Item> for SmallVec<A> {
    fn try_push(&mut self, item: A::Item) -> Result<(), NoMemory> {
        self.push(item);
        Ok(())
    }
}

pub fn copy(bytes: &[u8]) -> Result<Box<[u8]>, NoMemory> {
    Ok(bytes.into())
}
