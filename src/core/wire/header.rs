//! Values of `Mcp-Name` and `Mcp-Param-*` headers (P15; 2026-07-28, basic/transports/streamable-http, Value Encoding). Only the
//! encoding of a text is here; which headers a request carries is the plan's matter.

const PREFIX: &str = "=?base64?";
const SUFFIX: &str = "?=";
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// `value` as it stands if a header can carry it unchanged, else `=?base64?{base64 of its UTF-8}?=`. A value that itself looks like an
/// encoded one is encoded, so that decoding is unambiguous; CR and LF can never reach a header line.
#[must_use]
pub fn encode_value(value: &str) -> String {
    if is_plain(value) {
        return value.to_owned();
    }
    let mut out = String::with_capacity(PREFIX.len() + value.len() * 4 / 3 + 6);
    out.push_str(PREFIX);
    for chunk in value.as_bytes().chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let sextet = (bits >> (18 - 6 * at)) as usize & 63;
            let symbol = ALPHABET.get(sextet).copied().unwrap_or(b'=');
            out.push(if at > chunk.len() { '=' } else { char::from(symbol) });
        }
    }
    out.push_str(SUFFIX);
    out
}

fn is_plain(value: &str) -> bool {
    let printable = value.bytes().all(|b| matches!(b, 0x20..=0x7e | b'\t'));
    let blank = |b: Option<&u8>| matches!(b, Some(b' ' | b'\t'));
    let bytes = value.as_bytes();
    let encoded = value.starts_with(PREFIX) && value.ends_with(SUFFIX);
    printable && !blank(bytes.first()) && !blank(bytes.last()) && !encoded
}

#[cfg(test)]
mod tests {
    use super::encode_value;

    #[test]
    fn the_vectors_of_the_specification() {
        for (plain, encoded) in [
            ("us-west1", "us-west1"),
            ("Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="),
            (" padded ", "=?base64?IHBhZGRlZCA=?="),
            ("line1\nline2", "=?base64?bGluZTEKbGluZTI=?="),
            ("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="),
            ("inner space stays", "inner space stays"),
            ("", ""),
        ] {
            assert_eq!(encode_value(plain), encoded, "{plain:?}");
        }
    }
}
