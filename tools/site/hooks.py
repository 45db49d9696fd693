"""What mkdocs calls while it builds the site: files of the repository outside `docs/` become pages of it too."""

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from pages import Address, api_page, card_page, cards, gallery, notebook_page, pictures, source_page
from repository import ROOT, linked_files, relinked

_GALLERY = "<!-- gallery: the site shows the models here, each with a picture -->"
_PROJECT = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    "CODE_OF_CONDUCT.md": "conduct.md",
}
_addresses: dict[str, Address] = {}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the cards of the zoo's models below its page in the navigation."""
    for section in config.nav or ():
        for title, entries in section.items():
            if title == "Model zoo":
                entries.extend(address for address in cards().values() if address not in entries)
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files of the repository that are pages, or that pages link to."""
    _addresses.clear()
    _addresses.update(
        {f"docs/{file.src_uri}": file.src_uri for file in files if file.is_documentation_page()}
    )

    contents: dict[Address, str] = {}
    for source, address in _PROJECT.items():
        contents[address] = _text(source)
        _addresses[source] = address
    for source, address in cards().items():
        contents[address] = card_page(_text(source))
        _addresses[source] = address
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        source = f"notebooks/{notebook.name}"
        address = f"notebooks/{notebook.stem}.md"
        contents[address] = notebook_page(notebook)
        _addresses[source] = address
        files.append(File.generated(config, source, abs_src_path=str(notebook)))

    for picture in pictures():
        files.append(File.generated(config, picture.address, abs_src_path=str(ROOT / picture.source)))
        _addresses[picture.source] = picture.address
    for picture in sorted((ROOT / "docs" / "images").iterdir()):
        _addresses[f"docs/images/{picture.name}"] = f"images/{picture.name}"
    for data in (ROOT / "docs").glob("*.json"):
        _addresses[f"docs/{data.name}"] = data.name

    # The names on pages of the reference lead to their code in the repository, and are documented on the page here.
    linking = {source: address for source, address in _addresses.items() if not address.startswith("api/")}
    for source in linked_files(linking):
        address = f"source/{source}.md"
        contents[address] = source_page(source)
        _addresses[source] = address

    for address, content in contents.items():
        files.append(File.generated(config, address, content=content))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links between files of the repository lead to their pages."""
    address = page.file.src_uri
    source = next((source for source, known in _addresses.items() if known == address), None)
    if source is None:
        return markdown

    if address.startswith("api/"):
        markdown = api_page(markdown)
    markdown = relinked(markdown, source, address, _addresses)
    # Snippets that are not run say so to the tests alone.
    return markdown.replace("\n```python notest\n", "\n```python\n").replace(_GALLERY, gallery())


def _text(source: str) -> str:
    return (ROOT / source).read_text(encoding="utf-8")
