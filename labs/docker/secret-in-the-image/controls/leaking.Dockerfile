FROM registry.example/supplier/depot:1
COPY . /app
ARG TOKEN
RUN ["/bin/sh", "/tools/fetch"]
RUN ["/bin/rm", "/app/supplier.env"]
ENV CONFIG=/app/prices.conf
