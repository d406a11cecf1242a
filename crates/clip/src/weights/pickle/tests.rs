//! Pickles written by hand: what is read, what is refused, what must not panic.

use proptest::prelude::*;

use super::*;

fn refusal(bytes: &[u8]) -> Refusal {
    tensors(&mut Input(bytes)).expect_err("it is refused")
}

#[test]
fn a_call_of_the_system_is_refused_by_name() {
    assert_eq!(
        refusal(b"cos\nsystem\n(X\x02\x00\x00\x00lst\x85R."),
        Refusal::Global("os.system".to_owned())
    );
    let named = b"\x80\x04\x8c\x08builtins\x94\x8c\x04eval\x94\x93.";
    assert_eq!(refusal(named), Refusal::Global("builtins.eval".to_owned()));
    assert_eq!(refusal(b"ctorch\nload\n."), Refusal::Global("torch.load".to_owned()));
}

#[test]
fn instructions_that_make_objects_are_refused() {
    for opcode in *b"iop\x81\x82\x92" {
        assert_eq!(refusal(&[b'}', opcode, b'.']), Refusal::Opcode(opcode));
    }
}

#[test]
fn containers_may_be_deeper_than_any_stack() {
    let mut bytes = vec![b')'];
    bytes.extend([0x85].repeat(2_000_000));
    bytes.push(b'.');
    assert_eq!(refusal(&bytes), Refusal::Damaged("it holds no dict of tensors"));
}

#[test]
fn a_dict_that_holds_itself_is_no_trouble() {
    assert_eq!(
        refusal(b"}q\x00X\x01\x00\x00\x00ah\x00s."),
        Refusal::Damaged("it holds no named tensors")
    );
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = tensors(&mut Input(&bytes));
    }

    #[test]
    fn any_program_is_read_or_refused(
        program in prop::collection::vec(prop::sample::select(&b"(tNK\x01}]u)s.aebRQhqX\x85\x86\x87\x88\x93\x94"[..]), 0..300)
    ) {
        let _ = tensors(&mut Input(&program));
    }
}
