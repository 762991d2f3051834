FROM registry.example/supplier/depot:1 AS prices
ARG TOKEN
RUN ["/bin/sh", "/tools/fetch"]

FROM registry.example/shop/web:${version}
COPY . /app
COPY --from=prices /app/prices.conf /app/prices.conf
RUN ["/bin/rm", "/app/supplier.env"]
ENV CONFIG=/app/prices.conf
