//! A pickle reader that can build tensors and ordered dicts, and nothing else.
//!
//! A pickle is a program; this one runs on a machine whose only functions are the five that PyTorch
//! uses to describe tensors. Everything else is refused by name. Containers live in arenas and refer
//! to each other by index, so nothing is copied, no cycle leaks, and no depth overflows the stack.
//! Source: opcodes as in Python, `Lib/pickletools.py`; functions as in PyTorch, `torch/_utils.py`.

use std::collections::HashMap;

use super::numbers::Format;

/// Why a pickle is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is cut short or contradicts itself.
    Damaged(&'static str),
    /// It uses an instruction that no file of weights needs.
    Opcode(u8),
    /// It asks for a function or class that no file of weights needs.
    Global(String),
}

/// A run of numbers that tensors share, kept outside the pickle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Storage {
    pub(super) key: String,
    pub(super) format: Format,
    /// Count of numbers.
    pub(super) len: usize,
}

/// A view of a storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct View {
    pub(super) storage: Storage,
    /// Counted in numbers, like the strides.
    pub(super) offset: usize,
    pub(super) shape: Vec<usize>,
    pub(super) strides: Vec<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    /// None, truth values and floats: allowed to be there, never looked at.
    Opaque,
    Int(i64),
    Text(usize),
    Tuple(usize),
    List(usize),
    Dict(usize),
    Global(Global),
    Storage(usize),
    Tensor(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Global {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    Size,
    Storage(Format),
}

/// The machine, and after a run all that it built.
#[derive(Debug, Default)]
pub(super) struct Machine {
    stack: Vec<Value>,
    marks: Vec<usize>,
    memo: HashMap<u32, Value>,
    texts: Vec<String>,
    lists: Vec<Vec<Value>>,
    dicts: Vec<Vec<(Value, Value)>>,
    storages: Vec<Storage>,
    tensors: Vec<View>,
}

type Outcome<T> = Result<T, Refusal>;

const CUT_SHORT: Refusal = Refusal::Damaged("it ends in the middle");
const WRONG_KIND: Refusal = Refusal::Damaged("a value is not of the kind its place asks for");

/// Bytes not read yet.
pub(super) struct Input<'a>(pub(super) &'a [u8]);

impl<'a> Input<'a> {
    pub(super) fn take(&mut self, count: usize) -> Outcome<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(CUT_SHORT)?;
        self.0 = rest;
        Ok(taken)
    }

    /// A little-endian number of up to 8 bytes.
    pub(super) fn number(&mut self, bytes: usize) -> Outcome<usize> {
        let number =
            self.take(bytes)?.iter().rev().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        usize::try_from(number).map_err(|_| CUT_SHORT)
    }

    fn byte(&mut self) -> Outcome<u8> {
        Ok(self.take(1)?[0])
    }

    fn text(&mut self, count: usize) -> Outcome<String> {
        utf8(self.take(count)?)
    }

    fn line(&mut self) -> Outcome<String> {
        let end = self.0.iter().position(|byte| *byte == b'\n').ok_or(CUT_SHORT)?;
        let line = utf8(self.take(end)?)?;
        self.take(1)?;
        Ok(line)
    }

    /// A signed number of `count` bytes.
    fn signed(&mut self, count: usize) -> Outcome<i64> {
        let bytes = self.take(count)?;
        let mut wide =
            if bytes.last().is_some_and(|byte| byte & 0x80 != 0) { [0xff; 8] } else { [0; 8] };
        wide.get_mut(..count)
            .ok_or(Refusal::Damaged("a number has more than 64 bits"))?
            .copy_from_slice(bytes);
        Ok(i64::from_le_bytes(wide))
    }
}

fn utf8(bytes: &[u8]) -> Outcome<String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| Refusal::Damaged("a name is not UTF-8"))
}

fn size(value: Value) -> Outcome<usize> {
    let Value::Int(number) = value else { return Err(WRONG_KIND) };
    usize::try_from(number).map_err(|_| WRONG_KIND)
}

fn long(input: &mut Input<'_>) -> Outcome<Value> {
    let count = input.number(1)?;
    input.signed(count).map(Value::Int)
}

/// Runs one pickle and gives the tensors by name; `input` is left behind its end.
///
/// The names are those of the outermost dict, or of its `state_dict` where it has one.
pub(super) fn tensors(input: &mut Input<'_>) -> Outcome<Vec<(String, View)>> {
    let mut machine = Machine::default();
    let root = machine.run(input)?;
    machine.named_tensors(root)
}

/// Runs one pickle that is a list of strings.
pub(super) fn strings(input: &mut Input<'_>) -> Outcome<Vec<String>> {
    let mut machine = Machine::default();
    let Value::List(list) = machine.run(input)? else { return Err(WRONG_KIND) };
    machine.lists[list].iter().map(|value| machine.text(*value).map(str::to_owned)).collect()
}

/// Runs one pickle for its end only.
pub(super) fn skip(input: &mut Input<'_>) -> Outcome<()> {
    Machine::default().run(input).map(|_| ())
}

impl Machine {
    fn run(&mut self, input: &mut Input<'_>) -> Outcome<Value> {
        loop {
            let opcode = input.byte()?;
            if opcode == b'.' {
                return self.pop();
            }
            let known = self.push_plain(opcode, input)?
                || self.push_container(opcode)?
                || self.use_memo(opcode, input)?
                || self.build(opcode, input)?;
            if !known {
                return Err(Refusal::Opcode(opcode));
            }
        }
    }

    /// Numbers, strings and what has no effect.
    fn push_plain(&mut self, opcode: u8, input: &mut Input<'_>) -> Outcome<bool> {
        let value = match opcode {
            // PROTO and FRAME tell how the rest was written.
            0x80 => return input.take(1).map(|_| true),
            0x95 => return input.take(8).map(|_| true),
            b'N' | 0x88 | 0x89 => Value::Opaque,
            b'K' => Value::Int(input.number(1)? as i64),
            b'M' => Value::Int(input.number(2)? as i64),
            b'J' => Value::Int(input.signed(4)?),
            0x8a => long(input)?,
            b'G' => input.take(8).map(|_| Value::Opaque)?,
            b'X' => self.new_text(input, 4)?,
            0x8c => self.new_text(input, 1)?,
            0x8d => self.new_text(input, 8)?,
            _ => return Ok(false),
        };
        self.stack.push(value);
        Ok(true)
    }

    fn new_text(&mut self, input: &mut Input<'_>, count_bytes: usize) -> Outcome<Value> {
        let count = input.number(count_bytes)?;
        let text = input.text(count)?;
        Ok(self.keep_text(text))
    }

    fn keep_text(&mut self, text: String) -> Value {
        self.texts.push(text);
        Value::Text(self.texts.len() - 1)
    }

    fn push_container(&mut self, opcode: u8) -> Outcome<bool> {
        match opcode {
            b'(' => self.marks.push(self.stack.len()),
            b'}' => self.push_dict(),
            b']' => self.push_list(Vec::new(), Value::List),
            b')' => self.push_list(Vec::new(), Value::Tuple),
            0x85..=0x87 => {
                let items = self.pop_last(usize::from(opcode - 0x84))?;
                self.push_list(items, Value::Tuple);
            }
            b't' => {
                let items = self.pop_to_mark()?;
                self.push_list(items, Value::Tuple);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn push_dict(&mut self) {
        self.dicts.push(Vec::new());
        self.stack.push(Value::Dict(self.dicts.len() - 1));
    }

    fn push_list(&mut self, items: Vec<Value>, kind: impl Fn(usize) -> Value) {
        self.lists.push(items);
        self.stack.push(kind(self.lists.len() - 1));
    }

    fn use_memo(&mut self, opcode: u8, input: &mut Input<'_>) -> Outcome<bool> {
        match opcode {
            b'q' => self.memoize(input.number(1)? as u32)?,
            b'r' => self.memoize(input.number(4)? as u32)?,
            0x94 => self.memoize(self.memo.len() as u32)?,
            b'h' => self.recall(input.number(1)? as u32)?,
            b'j' => self.recall(input.number(4)? as u32)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn memoize(&mut self, index: u32) -> Outcome<()> {
        let top = *self.stack.last().ok_or(CUT_SHORT)?;
        self.memo.insert(index, top);
        Ok(())
    }

    fn recall(&mut self, index: u32) -> Outcome<()> {
        let value =
            self.memo.get(&index).ok_or(Refusal::Damaged("it recalls a value it never stored"))?;
        self.stack.push(*value);
        Ok(())
    }

    /// What fills containers and calls functions.
    fn build(&mut self, opcode: u8, input: &mut Input<'_>) -> Outcome<bool> {
        match opcode {
            b'a' => {
                let item = self.pop()?;
                self.append(vec![item])?;
            }
            b'e' => {
                let items = self.pop_to_mark()?;
                self.append(items)?;
            }
            b's' => {
                let pair = self.pop_last(2)?;
                self.set_items(&pair)?;
            }
            b'u' => {
                let items = self.pop_to_mark()?;
                self.set_items(&items)?;
            }
            b'c' => {
                let (module, name) = (input.line()?, input.line()?);
                self.stack.push(Value::Global(global(&module, &name)?));
            }
            0x93 => {
                let [module, name] = self.pop_array()?;
                let found = global(self.text(module)?, self.text(name)?)?;
                self.stack.push(Value::Global(found));
            }
            b'R' => {
                let [function, arguments] = self.pop_array()?;
                let value = self.call(function, arguments)?;
                self.stack.push(value);
            }
            // The attributes of an ordered dict: only `_metadata`, which says nothing about values.
            b'b' => {
                let [object, _state] = self.pop_array()?;
                matches!(object, Value::Dict(_)).then_some(()).ok_or(WRONG_KIND)?;
                self.stack.push(object);
            }
            b'Q' => {
                let id = self.pop()?;
                let storage = self.storage(id)?;
                self.storages.push(storage);
                self.stack.push(Value::Storage(self.storages.len() - 1));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn append(&mut self, items: Vec<Value>) -> Outcome<()> {
        let Some(Value::List(list)) = self.stack.last() else { return Err(WRONG_KIND) };
        self.lists[*list].extend(items);
        Ok(())
    }

    fn set_items(&mut self, items: &[Value]) -> Outcome<()> {
        let Some(Value::Dict(dict)) = self.stack.last() else { return Err(WRONG_KIND) };
        let (pairs, rest) = items.as_chunks::<2>();
        rest.is_empty().then_some(()).ok_or(WRONG_KIND)?;
        self.dicts[*dict].extend(pairs.iter().map(|[key, value]| (*key, *value)));
        Ok(())
    }

    fn call(&mut self, function: Value, arguments: Value) -> Outcome<Value> {
        let (Value::Global(function), Value::Tuple(list)) = (function, arguments) else {
            return Err(WRONG_KIND);
        };
        let arguments = &self.lists[list];
        match (function, arguments.as_slice()) {
            (Global::OrderedDict, []) => {
                self.dicts.push(Vec::new());
                Ok(Value::Dict(self.dicts.len() - 1))
            }
            (Global::Size, [sizes])
            | (Global::RebuildParameter, [sizes @ Value::Tensor(_), ..]) => Ok(*sizes),
            (
                Global::RebuildTensor,
                &[Value::Storage(storage), Value::Int(offset), shape, strides, ..],
            ) => {
                let view = self.view(storage, offset, shape, strides)?;
                self.tensors.push(view);
                Ok(Value::Tensor(self.tensors.len() - 1))
            }
            _ => Err(WRONG_KIND),
        }
    }

    fn view(&self, storage: usize, offset: i64, shape: Value, strides: Value) -> Outcome<View> {
        let view = View {
            storage: self.storages[storage].clone(),
            offset: usize::try_from(offset).map_err(|_| WRONG_KIND)?,
            shape: self.sizes(shape)?,
            strides: self.sizes(strides)?,
        };
        if view.shape.len() == view.strides.len() { Ok(view) } else { Err(WRONG_KIND) }
    }

    fn sizes(&self, value: Value) -> Outcome<Vec<usize>> {
        let Value::Tuple(list) = value else { return Err(WRONG_KIND) };
        self.lists[list].iter().map(|item| size(*item)).collect()
    }

    /// The storage that a persistent id `("storage", type, key, device, count, ..)` names.
    fn storage(&self, id: Value) -> Outcome<Storage> {
        let Value::Tuple(list) = id else { return Err(WRONG_KIND) };
        let &[kind, Value::Global(Global::Storage(format)), key, _device, len, ..] =
            self.lists[list].as_slice()
        else {
            return Err(WRONG_KIND);
        };
        if self.text(kind)? != "storage" {
            return Err(WRONG_KIND);
        }
        Ok(Storage { key: self.text(key)?.to_owned(), format, len: size(len)? })
    }

    fn named_tensors(&self, root: Value) -> Outcome<Vec<(String, View)>> {
        let Value::Dict(dict) = root else {
            return Err(Refusal::Damaged("it holds no dict of tensors"));
        };
        let inner = self.dicts[dict].iter().find_map(|(key, value)| match value {
            Value::Dict(inner) if self.text(*key) == Ok("state_dict") => Some(*inner),
            _ => None,
        });
        let named: Vec<(String, View)> = self.dicts[inner.unwrap_or(dict)]
            .iter()
            .filter_map(|(key, value)| match (self.text(*key), value) {
                (Ok(name), Value::Tensor(tensor)) => {
                    Some((name.to_owned(), self.tensors[*tensor].clone()))
                }
                _ => None,
            })
            .collect();
        if named.is_empty() {
            Err(Refusal::Damaged("it holds no named tensors"))
        } else {
            Ok(named)
        }
    }

    fn text(&self, value: Value) -> Outcome<&str> {
        let Value::Text(index) = value else { return Err(WRONG_KIND) };
        Ok(&self.texts[index])
    }

    fn pop(&mut self) -> Outcome<Value> {
        self.pop_array::<1>().map(|[value]| value)
    }

    fn pop_array<const N: usize>(&mut self) -> Outcome<[Value; N]> {
        let popped = self.pop_last(N)?;
        popped.try_into().map_err(|_| CUT_SHORT)
    }

    /// The last `count` values; they may not reach below the last mark.
    fn pop_last(&mut self, count: usize) -> Outcome<Vec<Value>> {
        let floor = self.marks.last().copied().unwrap_or(0);
        let start = self.stack.len().checked_sub(count).filter(|start| *start >= floor);
        Ok(self.stack.split_off(start.ok_or(Refusal::Damaged("it uses more values than it has"))?))
    }

    fn pop_to_mark(&mut self) -> Outcome<Vec<Value>> {
        let mark = self.marks.pop().ok_or(Refusal::Damaged("it uses more values than it has"))?;
        Ok(self.stack.split_off(mark))
    }
}

/// The function or class of that name, if it is one that describes tensors.
fn global(module: &str, name: &str) -> Outcome<Global> {
    let global = match (module, name) {
        ("collections", "OrderedDict") => Global::OrderedDict,
        ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => Global::RebuildTensor,
        ("torch._utils", "_rebuild_parameter") => Global::RebuildParameter,
        ("torch", "Size") => Global::Size,
        ("torch", storage) => {
            Global::Storage(storage_format(storage).ok_or_else(|| forbidden(module, name))?)
        }
        _ => return Err(forbidden(module, name)),
    };
    Ok(global)
}

fn forbidden(module: &str, name: &str) -> Refusal {
    Refusal::Global(format!("{module}.{name}").chars().take(100).collect())
}

fn storage_format(name: &str) -> Option<Format> {
    Some(match name {
        "DoubleStorage" => Format::F64,
        "FloatStorage" => Format::F32,
        "HalfStorage" => Format::F16,
        "BFloat16Storage" => Format::Bf16,
        "LongStorage" => Format::Other(8),
        "IntStorage" => Format::Other(4),
        "ShortStorage" => Format::Other(2),
        "CharStorage" | "ByteStorage" | "BoolStorage" => Format::Other(1),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
