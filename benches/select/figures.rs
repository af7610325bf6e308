//! Medians and ranges.

/// The median and the range, with as many decimals.
pub fn shown(values: &[f64], decimals: usize) -> String {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match (sorted.first(), sorted.last()) {
        (Some(first), Some(last)) => {
            format!("{:.decimals$} ({first:.decimals$}-{last:.decimals$})", sorted[sorted.len() / 2])
        }
        _ => "not installed".to_owned(),
    }
}

/// The median of the rounds' ratios.
pub fn ratio(ours: &[f64], theirs: &[f64]) -> String {
    let mut ratios: Vec<f64> = ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect();
    ratios.sort_by(f64::total_cmp);
    ratios.get(ratios.len() / 2).map_or(String::new(), |ratio| format!("{ratio:.2}"))
}
