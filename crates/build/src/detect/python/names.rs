//! Which package brings a module, where the two differ in name.

/// Import name → package, sorted by import name. Where several packages bring a module, the one
/// that needs no compiler and no screen.
const PACKAGES: [(&str, &str); 84] = [
    ("Crypto", "pycryptodome"),
    ("Cryptodome", "pycryptodomex"),
    ("Levenshtein", "levenshtein"),
    ("MySQLdb", "mysqlclient"),
    ("OpenSSL", "pyOpenSSL"),
    ("PIL", "Pillow"),
    ("PyPDF2", "PyPDF2"),
    ("aiofiles", "aiofiles"),
    ("allauth", "django-allauth"),
    ("anthropic", "anthropic"),
    ("apscheduler", "APScheduler"),
    ("attr", "attrs"),
    ("bcrypt", "bcrypt"),
    ("bs4", "beautifulsoup4"),
    ("corsheaders", "django-cors-headers"),
    ("crispy_forms", "django-crispy-forms"),
    ("cv2", "opencv-python-headless"),
    ("dash_bootstrap_components", "dash-bootstrap-components"),
    ("dateutil", "python-dateutil"),
    ("debug_toolbar", "django-debug-toolbar"),
    ("discord", "discord.py"),
    ("django", "Django"),
    ("django_filters", "django-filter"),
    ("dns", "dnspython"),
    ("docx", "python-docx"),
    ("dotenv", "python-dotenv"),
    ("environ", "django-environ"),
    ("fasthtml", "python-fasthtml"),
    ("fitz", "PyMuPDF"),
    ("flask_bcrypt", "Flask-Bcrypt"),
    ("flask_cors", "flask-cors"),
    ("flask_jwt_extended", "Flask-JWT-Extended"),
    ("flask_limiter", "Flask-Limiter"),
    ("flask_login", "Flask-Login"),
    ("flask_mail", "Flask-Mail"),
    ("flask_migrate", "Flask-Migrate"),
    ("flask_restful", "Flask-RESTful"),
    ("flask_session", "Flask-Session"),
    ("flask_socketio", "Flask-SocketIO"),
    ("flask_sqlalchemy", "Flask-SQLAlchemy"),
    ("flask_wtf", "Flask-WTF"),
    ("fpdf", "fpdf2"),
    ("git", "GitPython"),
    ("googleapiclient", "google-api-python-client"),
    ("jose", "python-jose"),
    ("jwt", "PyJWT"),
    ("kivy", "Kivy"),
    ("ldap3", "ldap3"),
    ("magic", "python-magic"),
    ("markdown", "Markdown"),
    ("markdown_it", "markdown-it-py"),
    ("multipart", "python-multipart"),
    ("mysql", "mysql-connector-python"),
    ("nacl", "PyNaCl"),
    ("openai", "openai"),
    ("peewee", "peewee"),
    ("pkg_resources", "setuptools"),
    ("plotly", "plotly"),
    ("pptx", "python-pptx"),
    ("psycopg2", "psycopg2-binary"),
    ("pymongo", "pymongo"),
    ("pysqlite3", "pysqlite3-binary"),
    ("qrcode", "qrcode"),
    ("rest_framework", "djangorestframework"),
    ("rest_framework_simplejwt", "djangorestframework-simplejwt"),
    ("ruamel", "ruamel.yaml"),
    ("serial", "pyserial"),
    ("skimage", "scikit-image"),
    ("sklearn", "scikit-learn"),
    ("slugify", "python-slugify"),
    ("socketio", "python-socketio"),
    ("speech_recognition", "SpeechRecognition"),
    ("sqlalchemy", "SQLAlchemy"),
    ("sqlmodel", "sqlmodel"),
    ("telebot", "pyTelegramBotAPI"),
    ("telegram", "python-telegram-bot"),
    ("usb", "pyusb"),
    ("websocket", "websocket-client"),
    ("whitenoise", "whitenoise"),
    ("win32api", "pywin32"),
    ("wordcloud", "wordcloud"),
    ("wtforms", "WTForms"),
    ("yaml", "PyYAML"),
    ("zmq", "pyzmq"),
];

/// Modules that come with another package: an app that lists the second need not list the first.
const COMES_WITH: [(&str, &[&str]); 22] = [
    ("altair", &["streamlit"]),
    ("anyio", &["fastapi", "starlette", "httpx"]),
    ("asgiref", &["django"]),
    ("certifi", &["requests", "httpx"]),
    ("click", &["flask", "typer", "uvicorn"]),
    ("fastapi", &["gradio"]),
    ("flask", &["dash"]),
    ("httpx", &["gradio", "openai", "anthropic"]),
    ("idna", &["requests", "httpx"]),
    ("itsdangerous", &["flask"]),
    ("jinja2", &["flask", "gradio"]),
    ("markupsafe", &["flask", "jinja2"]),
    ("matplotlib", &["seaborn"]),
    (
        "numpy",
        &[
            "pandas",
            "scikit-learn",
            "scipy",
            "matplotlib",
            "streamlit",
            "gradio",
            "opencv-python-headless",
        ],
    ),
    ("pandas", &["streamlit", "gradio", "seaborn"]),
    ("pillow", &["streamlit", "gradio", "matplotlib"]),
    ("plotly", &["dash"]),
    ("pydantic", &["fastapi", "sqlmodel", "openai", "gradio"]),
    ("sqlalchemy", &["flask-sqlalchemy", "sqlmodel"]),
    ("starlette", &["fastapi"]),
    ("urllib3", &["requests"]),
    ("werkzeug", &["flask"]),
];

/// Names in a list of requirements that no package has or that belong to another one, and the
/// package that is meant. In the canonical form of names, sorted.
const MISTAKEN: [(&str, &str); 9] = [
    ("bs4", "beautifulsoup4"),
    ("cv2", "opencv-python-headless"),
    ("dotenv", "python-dotenv"),
    ("opencv-contrib-python", "opencv-contrib-python-headless"),
    ("opencv-python", "opencv-python-headless"),
    ("pil", "Pillow"),
    ("psycopg2", "psycopg2-binary"),
    ("sklearn", "scikit-learn"),
    ("yaml", "PyYAML"),
];

/// The package that brings the module `import`.
pub(super) fn package_of(import: &str) -> String {
    let known = PACKAGES.binary_search_by_key(&import, |(module, _)| module);
    known.map_or_else(|_| import.replace('_', "-"), |at| PACKAGES[at].1.to_owned())
}

/// The package that was meant by the requirement `name` (canonical), when it is another one.
pub(super) fn meant_by(name: &str) -> Option<&'static str> {
    let at = MISTAKEN
        .binary_search_by_key(&name, |(wrong, _)| wrong)
        .ok()?;
    Some(MISTAKEN[at].1)
}

/// Whether one of the `listed` packages (canonical) brings the package `name` (canonical) along.
pub(super) fn comes_with(name: &str, listed: &[String]) -> bool {
    COMES_WITH
        .iter()
        .filter(|(package, _)| *package == name)
        .any(|(_, by)| by.iter().any(|by| listed.iter().any(|name| name == by)))
}

/// A package's name in its canonical form (PEP 503).
pub(crate) fn canonical(name: &str) -> String {
    let mut canonical = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter {
            '-' | '_' | '.' if canonical.ends_with('-') => {}
            '-' | '_' | '.' => canonical.push('-'),
            letter => canonical.push(letter.to_ascii_lowercase()),
        }
    }
    canonical
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_for_the_search() {
        assert!(PACKAGES.is_sorted_by_key(|(module, _)| module));
        assert!(MISTAKEN.is_sorted_by_key(|(name, _)| name));
    }

    #[test]
    fn a_module_names_its_package() {
        for (module, package) in [
            ("PIL", "Pillow"),
            ("cv2", "opencv-python-headless"),
            ("flask_cors", "flask-cors"),
            ("some_thing", "some-thing"),
            ("requests", "requests"),
        ] {
            assert_eq!(package_of(module), package);
        }
    }

    #[test]
    fn names_are_compared_in_their_canonical_form() {
        for (name, form) in [("Flask_SQLAlchemy", "flask-sqlalchemy"), ("a.-_b", "a-b")] {
            assert_eq!(canonical(name), form);
        }
    }

    #[test]
    fn what_comes_along_need_not_be_listed() {
        let listed = vec!["flask".to_owned()];
        assert!(comes_with("werkzeug", &listed));
        assert!(!comes_with("pydantic", &listed));
    }
}
