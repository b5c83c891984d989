// Starts Swagger UI or Redoc on the page that asks for it; both are loaded before as plain scripts.

const swagger = document.getElementById("swagger");
if (swagger) {
  const { schema, csrf, organization } = swagger.dataset;
  window.SwaggerUIBundle({
    url: schema,
    domNode: swagger,
    deepLinking: true,
    validatorUrl: null,
    requestInterceptor: (request) => {
      if (new URL(request.url, location.href).origin !== location.origin) throw new Error("another origin");
      request.headers["X-CSRFToken"] = csrf;
      if (organization) request.headers.Organization ??= organization;
      return request;
    },
  });
}

const redoc = document.getElementById("redoc");
if (redoc) {
  window.Redoc.init(redoc.dataset.schema, { hideLoading: true, disableSearch: false, nativeScrollbars: true }, redoc);
}
