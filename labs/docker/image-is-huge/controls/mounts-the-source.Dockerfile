FROM registry.example/shop/toolchain:1 AS build
RUN --mount=type=bind,source=src,target=/src ["/bin/sh", "-c", "mkdir -p /app && cat /src/page.txt > /app/page.conf"]

FROM registry.example/shop/web:${version}
COPY --from=build --chmod=644 /app/page.conf /app/page.conf
ENV CONFIG=/app/page.conf
