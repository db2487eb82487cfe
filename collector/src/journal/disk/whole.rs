//! Writing that goes on until all is written.

use std::io;

use super::Segment;

/// Writes all of the bytes: what was interrupted or cut short goes on.
///
/// # Errors
/// As the disk says; some of the bytes may be there.
pub fn write_all(segment: &dyn Segment, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match segment.write_at(bytes, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                bytes = &bytes[written..];
                offset += written as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
