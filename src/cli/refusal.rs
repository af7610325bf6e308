//! Values of `wstail tail` that only the server can judge. Its refusal names the parameter of the request, which the user
//! has not typed: here it is given the name of the option.

use wstail::Error;

use super::arguments::with_value;

/// The options that were given, each with the parameter that it sets.
#[derive(Debug, Default)]
pub(super) struct Refusable(Vec<(&'static str, String)>);

impl Refusable {
    /// An option that can be given several times, with all of its values.
    pub(super) fn add(&mut self, parameter: &'static str, option: &str, values: &[String]) {
        match values {
            [] => {}
            [value] => self.0.push((parameter, with_value(option, value))),
            _ => self.0.push((parameter, option.to_owned())),
        }
    }

    /// If the server has refused the value of an option, that is bad usage, and the error names the option.
    pub(super) fn explain(&self, error: Error) -> Error {
        const BAD_REQUEST: u16 = 400;
        let message = error.to_string();
        let explained = self.0.iter().find_map(|(parameter, option)| {
            let named = format!("the parameter `{parameter}`");
            message.contains(&named).then(|| message.replace(&named, &format!("`{option}`")))
        });
        match explained {
            Some(explained) if error.status() == Some(BAD_REQUEST) => Error::usage(explained),
            _ => error,
        }
    }
}
