pub fn tax() -> i32 {
    9
}

/// ```
/// assert_eq!(shop::tax(), 9);
/// ```
pub fn doc() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sum() {
        assert_eq!(1 + 1, 2);
    }

    #[test]
    fn tax_is_right() {
        assert_eq!(tax(), 7, "the tax is off");
    }

    #[test]
    #[ignore]
    fn later() {}
}
