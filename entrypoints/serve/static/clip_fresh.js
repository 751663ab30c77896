/** Shows the server's present version of this page in place of the one that is shown. */

/** Return this page as the server makes it now; null if the server does not answer. */
export async function freshPage() {
  try {
    const response = await fetch(location.href.split("#")[0], { headers: { Accept: "text/html" } });
    if (response.status >= 500 || !response.headers.get("content-type")?.startsWith("text/html")) return null;
    return new DOMParser().parseFromString(await response.text(), "text/html");
  } catch {
    return null;
  }
}

/** Replace the page's content and title; the focus goes to the content. */
export function showFresh(page) {
  document.title = page.title;
  const main = document.getElementById("main");
  main.replaceChildren(...page.getElementById("main").childNodes);
  main.focus({ preventScroll: true });
}
