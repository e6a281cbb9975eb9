//! `authorizedUris`: a pattern with a whole host matches no other host, whatever the URL looks like.
#![no_main]

use libfuzzer_sys::fuzz_target;
use url::Url;

fuzz_target!(|texts: (&str, &str)| {
    let (Ok(pattern), Ok(url)) = (texts.0.parse::<afps::UriPattern>(), Url::parse(texts.1)) else { return };
    if !pattern.matches(&url) {
        return;
    }
    let Ok(wanted) = Url::parse(&pattern.as_str().replace('*', "")) else { return };
    let authority = pattern.as_str().split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
    if !authority.contains('*') {
        assert_eq!((url.scheme(), url.host_str()), (wanted.scheme(), wanted.host_str()), "{} matches {url}", pattern.as_str());
    }
});
